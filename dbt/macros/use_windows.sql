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
    sum(case when {{ condition }} then 1 else 0 end)
{%- endmacro %}

{# Distinct values, none null, in millions of groups of a few each: count(distinct) would keep all
   groups in a second table, which doubles the time and the memory of the whole. #}
{% macro count_distinct_of_few(column) -%}
    len(list_distinct(list({{ column }})))
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
