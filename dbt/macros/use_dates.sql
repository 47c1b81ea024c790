{# One row a day, both ends included. #}
{% macro days_between(first, last) -%}
    select cast(days.day as date) as calendar_date
    from (select unnest(generate_series({{ first }}, {{ last }}, interval 1 day)) as day) as days
{%- endmacro %}

{% macro plus_days(column, days) -%}
    cast({{ dbt.dateadd('day', days, column) }} as date)
{%- endmacro %}

{# The first day of the last whole week (Monday to Sunday) that a day has behind it. #}
{% macro last_whole_week(day) -%}
    {%- set next_day = dbt.dateadd('day', 1, day) -%}
    cast({{ dbt.dateadd('day', -7, dbt.date_trunc('week', next_day)) }} as date)
{%- endmacro %}

{# The last day of a day's week (Monday to Sunday). #}
{% macro week_end(day) -%}
    {{ plus_days(dbt.date_trunc('week', day), 6) }}
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
        when series.is_known_then
            then {{ weeks_after('series.anchor_date', relation ~ '.known_date') }}
        else {{ weeks_after('series.anchor_date', relation ~ '.activity_date') }}
    end
{%- endmacro %}
