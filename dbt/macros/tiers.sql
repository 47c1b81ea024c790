{# The tier an ARR falls into, to the cent (12 x 10,000 / 12 is a little less), null where the ARR is
   unknown. Tiers stand in order of min_arr, highest first. #}
{% macro tier_of(arr) -%}
    case
        {%- for tier in var('tiers') %}
        when round({{ arr }}, 2) >= {{ tier.min_arr }} then '{{ tier.name | replace("'", "''") }}'
        {%- endfor %}
    end
{%- endmacro %}
