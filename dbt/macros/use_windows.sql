{# Days from a row's date to the next, or from the previous, of the same user or feature. #}
{% macro days_to_next(column, partition) -%}
    {%- set ordered = '(partition by ' ~ partition ~ ' order by ' ~ column ~ ')' -%}
    {{ dbt.datediff(column, 'lead(' ~ column ~ ') over ' ~ ordered, 'day') }}
{%- endmacro %}

{% macro days_since_previous(column, partition) -%}
    {%- set ordered = '(partition by ' ~ partition ~ ' order by ' ~ column ~ ')' -%}
    {{ dbt.datediff('lag(' ~ column ~ ') over ' ~ ordered, column, 'day') }}
{%- endmacro %}

{% macro count_when(condition) -%}
    count(case when {{ condition }} then 1 end)
{%- endmacro %}

{# The last value in a window that is not null. #}
{% macro last_known(column) -%}
    last_value({{ column }} ignore nulls)
{%- endmacro %}

{% macro median_over(column, window) -%}
    median({{ column }}) over {{ window }}
{%- endmacro %}

{# Median absolute deviation within a window. #}
{% macro mad_over(column, window) -%}
    mad({{ column }}) over {{ window }}
{%- endmacro %}

{# Makes a median absolute deviation comparable with a standard deviation. #}
{% macro mad_scale() -%}
    1.4826
{%- endmacro %}
