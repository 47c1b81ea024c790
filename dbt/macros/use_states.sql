{# An expression of thresholds of the usage states, by the customer's segment of the day: the call
   block gets their values by name, the company's or those a segment has of its own. The one place
   where thresholds per segment enter. #}
{% macro by_segment(names, segment='segment') -%}
    {%- set company = {} -%}
    {%- for name in names -%}{%- do company.update({name: var(name)}) -%}{%- endfor -%}
    {%- set arms = [] -%}
    {%- for name, overrides in var('state_segments').items() -%}
        {%- set own = {} -%}
        {%- for key in names -%}
            {%- do own.update({key: overrides.get(key, company[key])}) -%}
        {%- endfor -%}
        {%- if own != company -%}{%- do arms.append([name, own]) -%}{%- endif -%}
    {%- endfor -%}
    {%- if arms -%}
    case {{ segment }}
        {%- for name, own in arms %} when {{ text_literal(name) }} then {{ caller(own) }}
        {%- endfor %} else {{ caller(company) }}
    end
    {%- else -%}
    {{ caller(company) }}
    {%- endif -%}
{%- endmacro %}

{# One threshold of the usage states. #}
{% macro state_threshold(name, segment='segment') -%}
    {%- call(values) by_segment([name], segment) -%} {{ values[name] }} {%- endcall -%}
{%- endmacro %}

{# The highest value of a threshold over all segments: how far back to look. #}
{% macro highest_threshold(name) -%}
    {%- set values = [var(name)] -%}
    {%- for overrides in var('state_segments').values() -%}
        {%- do values.append(overrides.get(name, var(name))) -%}
    {%- endfor -%}
    {{ values | max }}
{%- endmacro %}

{# The days on which a customer was of a segment that has thresholds of its own. #}
{% macro days_in_segments() -%}
    select
        customer_id,
        segment,
        {{ company_date('described_from') }} as valid_from,
        coalesce({{ company_date('known_to') }}, {{ far_future() }}) as valid_to
    from {{ ref('int_customers_described') }}
    where
        {% for name in var('state_segments') -%}
        {{ 'segment = ' if loop.first else 'or segment = ' }}{{ text_literal(name) }}
        {% else -%}
        false
        {%- endfor %}
{%- endmacro %}

{# Weekly users against the seat target, where known, or the best weeks. Weeks without use are the
   lowest level, whatever they are measured against. #}
{% macro usage_level_ratio(levels, seats, segment='segment') -%}
    {%- set usual -%}
    greatest(
        coalesce(
            {{ state_threshold('seat_target_ratio', segment) }} * cast({{ seats }} as double), 0
        ),
        {{ levels }}.best_user_count
    )
    {%- endset -%}
    case
        when {{ levels }}.level_user_count = 0 then cast(0 as double)
        else {{ divide(levels ~ '.level_user_count', usual, 'double') }}
    end
{%- endmacro %}

{# Adds level_user_count (weekly users, mean of the last weeks) and best_user_count (the best
   median of the last year) to a CTE of complete weeks with segment, active_user_count and week_no
   (1, 2, ...). While there are fewer weeks than a median takes, the median of those stands in. #}
{% macro level_weeks(relation, keys, week) -%}
    {%- set ordered = 'partition by ' ~ keys | join(', ') ~ ' order by ' ~ week -%}
    select
        *,
        {% call(values) by_segment(['level_weeks']) -%}
        {%- set window = '(' ~ ordered ~ ' ' ~ last_rows(values.level_weeks) ~ ')' -%}
        {{ divide(
            'sum(active_user_count) over ' ~ window, 'count(*) over ' ~ window, 'double'
        ) }}
        {%- endcall %} as level_user_count,
        {% call(values) by_segment(['best_median_weeks', 'best_window_weeks']) -%}
        coalesce(
            max(case when week_no >= {{ values.best_median_weeks }} then median_user_count end)
                over ({{ ordered }} {{ last_rows(
                    [values.best_window_weeks - values.best_median_weeks + 1, 1] | max
                ) }}),
            median_user_count
        )
        {%- endcall %} as best_user_count
    from (
        select
            *,
            {% call(values) by_segment(['best_median_weeks']) -%}
            {{ median_over(
                'active_user_count', '(' ~ ordered ~ ' ' ~ last_rows(values.best_median_weeks) ~ ')'
            ) }}
            {%- endcall %} as median_user_count
        from {{ relation }}
    ) as weeks_with_median
{%- endmacro %}

{# The lowest weekly users that are no decline: median less MADs of the weeks before the last ones;
   null while there are too few weeks. #}
{% macro lowest_usual_users(users, ordered) -%}
    {%- call(values) by_segment(
        ['declining_weeks', 'declining_baseline_weeks', 'declining_mads']
    ) -%}
    {%- set baseline = '(' ~ ordered ~ ' rows between '
        ~ (values.declining_weeks + values.declining_baseline_weeks - 1) ~ ' preceding and '
        ~ values.declining_weeks ~ ' preceding)' -%}
    case
        when count(*) over {{ baseline }} = {{ values.declining_baseline_weeks }}
            then
                {{ median_over(users, baseline) }}
                - {{ values.declining_mads }} * {{ mad_scale() }} * {{ mad_over(users, baseline) }}
    end
    {%- endcall -%}
{%- endmacro %}

{# The most weekly users of the last weeks. #}
{% macro most_recent_users(users, ordered) -%}
    {%- call(values) by_segment(['declining_weeks']) -%}
    max({{ users }}) over ({{ ordered }} {{ last_rows(values.declining_weeks) }})
    {%- endcall -%}
{%- endmacro %}

{# Was the same state seen on enough days running? #}
{% macro is_confirmed(state, ordered) -%}
    {%- call(values) by_segment(['confirm_days']) -%}
    (
        {%- for days_back in range(1, values.confirm_days) %}
        {{ state }} = lag({{ state }}, {{ days_back }}) over ({{ ordered }}) and
        {%- endfor %}
        true
    )
    {%- endcall -%}
{%- endmacro %}

{# A frame of that many rows that ends with the current one. #}
{% macro last_rows(count) -%}
    rows between {{ count - 1 }} preceding and current row
{%- endmacro %}

{# Is the commercial status that of a paying customer? #}
{% macro is_paying(status) -%}
    {{ status }} in ('formal', 'renewed', 'lapsed', 'pay_as_you_go')
{%- endmacro %}

{# Order of the usage states from worse to better; states that are no use have no place in it. #}
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

{# How a paying customer in a usage state uses the product. #}
{% macro usage_group(state) -%}
    case
        when {{ state }} in ('high', 'normal', 'resurrected') then 'well'
        when {{ state }} in ('low', 'declining', 'dormant', 'silent') then 'poor'
        else {{ state }}
    end
{%- endmacro %}

{# What the levels of use depend on besides the use: another definition counts them anew. #}
{% macro level_definition() -%}
    {%- set knobs = [] -%}
    {%- for name in [
        'level_weeks', 'best_median_weeks', 'best_window_weeks', 'state_segments', 'trend_weeks',
        'trend_min_working_days', 'company_zone', 'outage_baseline_weeks', 'outage_drop_ratio',
        'outage_mads', 'outage_min_tenants'
    ] -%}
        {%- do knobs.append(name ~ '=' ~ tojson(var(name))) -%}
    {%- endfor -%}
    '{{ local_md5(knobs | join(";")) }}'
{%- endmacro %}
