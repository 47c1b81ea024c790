{# A threshold of the usage states. Thresholds per segment will enter here. #}
{% macro state_threshold(name) -%}
    {{ var(name) }}
{%- endmacro %}

{# Is the event one of this configured group? An empty group has no members. #}
{% macro in_event_group(column, group) -%}
    {%- if var(group) -%}
        {{ column }} in ({% for name in var(group) %}'{{ name | replace("'", "''") }}'{{ ', ' if not loop.last }}{% endfor %})
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# What a roll-up depends on besides the events: another definition rolls every batch up anew. #}
{% macro use_definition() -%}
    {%- set knobs = [] -%}
    {%- for name in [
        'company_zone', 'core_events', 'value_events', 'help_events', 'excluded_events',
        'login_event'
    ] -%}
        {%- do knobs.append(name ~ '=' ~ tojson(var(name))) -%}
    {%- endfor -%}
    (
        select md5(concat('{{ local_md5(knobs | join(";")) }}', coalesce({{
            dbt.listagg('core_features.feature', "','", 'order by core_features.feature')
        }}, '')))
        from {{ ref('int_core_features') }} as core_features
    )
{%- endmacro %}

{# Before a roll-up: forget the batches that are no longer active or were rolled up otherwise. #}
{% macro forget_rolled_up_batches() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where
        definition != {{ use_definition() }}
        or batch_id not in (
            select batches.batch_id from {{ ref('stg_ingest__batches') }} as batches
            where batches.entity = 'product_events'
        )
    {%- else -%}
    select 1
    {%- endif -%}
{%- endmacro %}

{# Batches of events that this roll-up does not hold yet: from the ledger, never "yesterday". #}
{% macro batches_to_roll_up() -%}
    select batches.batch_id
    from {{ ref('stg_ingest__batches') }} as batches
    where
        batches.entity = 'product_events'
        {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as rolled_up where rolled_up.batch_id = batches.batch_id
        )
        {%- endif %}
{%- endmacro %}

{# The first day of the last whole week (Monday to Sunday) that a day has behind it. #}
{% macro last_whole_week(day) -%}
    {%- set next_day = dbt.dateadd('day', 1, day) -%}
    cast({{ dbt.dateadd('day', -7, dbt.date_trunc('week', next_day)) }} as date)
{%- endmacro %}

{# Median absolute deviation within a window. #}
{% macro mad_over(column, window) -%}
    mad({{ column }}) over {{ window }}
{%- endmacro %}

{% macro median_over(column, window) -%}
    median({{ column }}) over {{ window }}
{%- endmacro %}

{# One row a day, both ends included. #}
{% macro days_between(first, last) -%}
    select cast(days.day as date) as calendar_date
    from (select unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as day) as days
{%- endmacro %}

{# Days from a row's date to the next, or from the previous, of the same user or feature. #}
{% macro days_to_next(column, partition) -%}
    {{ dbt.datediff(column, 'lead(' ~ column ~ ') over (partition by ' ~ partition ~ ' order by ' ~ column ~ ')', 'day') }}
{%- endmacro %}

{% macro days_since_previous(column, partition) -%}
    {{ dbt.datediff('lag(' ~ column ~ ') over (partition by ' ~ partition ~ ' order by ' ~ column ~ ')', column, 'day') }}
{%- endmacro %}

{% macro count_when(condition) -%}
    sum(case when {{ condition }} then 1 else 0 end)
{%- endmacro %}

{% macro plus_days(column, days) -%}
    cast({{ dbt.dateadd('day', days, column) }} as date)
{%- endmacro %}

{# Makes a median absolute deviation comparable with a standard deviation. #}
{% macro mad_scale() -%}
    1.4826
{%- endmacro %}

{# Adds level_user_count (weekly users, mean of the last weeks) and best_user_count (the best median
   of the last year) to a CTE of complete weeks with active_user_count and week_no (1, 2, ...). While
   there are fewer weeks than a median takes, the median of those there are stands in for the best. #}
{% macro level_weeks(relation, keys, week) -%}
    {%- set median_weeks = var('best_median_weeks') | int -%}
    {%- set level_window = 'rows between ' ~ (var('level_weeks') | int - 1) ~ ' preceding and current row' -%}
    {%- set median_window = 'rows between ' ~ (median_weeks - 1) ~ ' preceding and current row' -%}
    {%- set best_window = 'rows between ' ~ (var('best_window_weeks') | int - median_weeks)
        ~ ' preceding and current row' -%}
    {%- set ordered = 'partition by ' ~ keys | join(', ') ~ ' order by ' ~ week -%}
    select
        *,
        {{ divide(
            'sum(active_user_count) over (' ~ ordered ~ ' ' ~ level_window ~ ')',
            'count(*) over (' ~ ordered ~ ' ' ~ level_window ~ ')',
            'double'
        ) }} as level_user_count,
        coalesce(
            max(case when week_no >= {{ median_weeks }} then median_user_count end)
                over ({{ ordered }} {{ best_window }}),
            median_user_count
        ) as best_user_count
    from (
        select
            *,
            {{ median_over('active_user_count', '(' ~ ordered ~ ' ' ~ median_window ~ ')') }}
                as median_user_count
        from {{ relation }}
    ) as weeks_with_median
{%- endmacro %}

{# What weekly use is measured against: the seat target, where seats are known, or the best weeks. #}
{% macro usual_user_count(seats, best) -%}
    greatest(
        coalesce({{ state_threshold('seat_target_ratio') }} * cast({{ seats }} as double), 0),
        {{ best }}
    )
{%- endmacro %}

{# The order of the usage states from worse to better; states that are no use have no place in it. #}
{% macro state_rank(state) -%}
    case {{ state }}
        when 'silent' then 1
        when 'not_started' then 1
        when 'dormant' then 2
        when 'declining' then 3
        when 'low' then 4
        when 'resurrected' then 5
        when 'onboarding' then 6
        when 'normal' then 6
        when 'high' then 7
    end
{%- endmacro %}

{# Is the day the last of its week? #}
{% macro is_week_end(day) -%}
    {{ dbt.datediff(dbt.date_trunc('week', day), day, 'day') }} = 6
{%- endmacro %}

{# Position of a day among dates a week apart: that of the first date not before the day. #}
{% macro weeks_after(anchor, day) -%}
    cast(floor(({{ dbt.datediff(anchor, day, 'day') }} + 6) / 7.0) as bigint)
{%- endmacro %}

{# Position in its series from which a row of use is known. #}
{% macro known_position(relation) -%}
    case
        when series.is_known_then then {{ weeks_after('series.anchor_date', relation ~ '.known_date') }}
        else {{ weeks_after('series.anchor_date', relation ~ '.activity_date') }}
    end
{%- endmacro %}

{# How a paying customer in a usage state uses the product. #}
{% macro usage_group(state) -%}
    case
        when {{ state }} in ('high', 'normal', 'resurrected') then 'well'
        when {{ state }} in ('low', 'declining', 'dormant', 'silent') then 'poor'
        else {{ state }}
    end
{%- endmacro %}

{# The day on which a use was known, never before it happened. #}
{% macro known_date() -%}
    greatest(activity_date, coalesce(known_date, activity_date))
{%- endmacro %}
