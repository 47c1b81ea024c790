{# A threshold of the usage states. Thresholds per segment will enter here. #}
{% macro state_threshold(name) -%}
    {{ var(name) }}
{%- endmacro %}

{# What weekly use is measured against: the seat target, where known, or the best weeks. #}
{% macro usual_user_count(seats, best) -%}
    greatest(
        coalesce({{ state_threshold('seat_target_ratio') }} * cast({{ seats }} as double), 0),
        {{ best }}
    )
{%- endmacro %}

{# Adds level_user_count (weekly users, mean of the last weeks) and best_user_count (the best
   median of the last year) to a CTE of complete weeks with active_user_count and week_no (1, 2,
   ...). While there are fewer weeks than a median takes, the median of those stands in. #}
{% macro level_weeks(relation, keys, week) -%}
    {%- set median_weeks = var('best_median_weeks') | int -%}
    {%- set level_weeks = var('level_weeks') | int -%}
    {%- set best_weeks = [var('best_window_weeks') | int - median_weeks + 1, 1] | max -%}
    {%- set level_window = 'rows between ' ~ (level_weeks - 1) ~ ' preceding and current row' -%}
    {%- set median_window = 'rows between ' ~ (median_weeks - 1) ~ ' preceding and current row' -%}
    {%- set best_window = 'rows between ' ~ (best_weeks - 1) ~ ' preceding and current row' -%}
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
