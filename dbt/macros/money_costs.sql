{# Costs of these categories together, unknown unless each of them is there. #}
{% macro cost_of(categories) -%}
    {%- set costs = [] -%}
    {%- for category in categories -%}
        {%- do costs.append("sum(case when category = '" ~ category ~ "' then amount end)") -%}
    {%- endfor -%}
    {{ costs | join(' + ') }}
{%- endmacro %}

{# Months a customer that is still there may be expected to stay, at a constant hazard. #}
{% macro expected_months(hazard, months_left) -%}
    case
        when {{ hazard }} > 0
            then (1 - {{ hazard }}) * (1 - power(1 - {{ hazard }}, {{ months_left }})) / {{ hazard }}
        else {{ months_left }}
    end
{%- endmacro %}
