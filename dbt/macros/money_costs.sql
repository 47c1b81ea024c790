{# Costs of these categories together, unknown unless each of them is there. #}
{% macro cost_of(categories) -%}
    {%- set costs = [] -%}
    {%- for category in categories -%}
        {%- do costs.append("sum(case when category = '" ~ category ~ "' then amount end)") -%}
    {%- endfor -%}
    {{ costs | join(' + ') }}
{%- endmacro %}
