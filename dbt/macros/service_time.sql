{# The share-th quantile of a column, between neighbours; nulls do not count. #}
{% macro percentile(column, share) -%}
    percentile_cont({{ share }}) within group (order by {{ column }})
{%- endmacro %}

{# Whole seconds of working time from the beginning of the calendar to a moment, by a joined row of
   working days (`workdays`): the difference of two of them is the working time between. #}
{% macro worked_seconds(moment, workdays) -%}
    {%- set opens = (var('support_opens_at') * 3600) | int -%}
    {%- set shift = ((var('support_closes_at') - var('support_opens_at')) * 3600) | int -%}
    {{ workdays }}.working_days_before * {{ shift }}
    + case
        when {{ workdays }}.is_working_day
            then least(
                greatest(
                    {{ dbt.datediff(
                        'cast(' ~ company_date(moment) ~ ' as timestamp)',
                        company_time(moment),
                        'second'
                    ) }} - {{ opens }},
                    0
                ),
                {{ shift }}
            )
        else 0
    end
{%- endmacro %}

{# Seconds from the opening of a request to a moment: of the clock, or of working time. #}
{% macro support_seconds(moment, workdays) -%}
    {%- if var('is_support_in_working_hours') -%}
    {{ worked_seconds(moment, workdays) }}
    - ({{ worked_seconds('requests.opened_at', 'opening_days') }})
    {%- else -%}
    {{ dbt.datediff('requests.opened_at', moment, 'second') }}
    {%- endif -%}
{%- endmacro %}

{# Texts of a group in one, by a quoted separator and in order; nulls are left out. #}
{% macro joined_texts(text, separator, order_by) -%}
    {{ dbt.listagg(text, separator, order_by) }}
{%- endmacro %}
