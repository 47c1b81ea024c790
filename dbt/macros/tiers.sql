{# The tier an ARR falls into, null where the ARR is unknown. Tiers stand in order of min_arr, highest first. #}
{% macro tier_of(arr) -%}
    case
        {%- for tier in var('tiers') %}
        when {{ arr }} >= {{ tier.min_arr }} then '{{ tier.name | replace("'", "''") }}'
        {%- endfor %}
    end
{%- endmacro %}
