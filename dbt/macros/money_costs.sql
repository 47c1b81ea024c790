{# Costs of these categories together, unknown unless each of them is there. #}
{% macro cost_of(categories) -%}
    {% for category in categories -%}
    sum(case when category = '{{ category }}' then amount end){{ ' + ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
