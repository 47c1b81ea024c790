{# Does a customer's value differ from the day before, or is it the first? #}
{% macro is_change(value) -%}
    row_number() over (partition by customer_id order by valid_from) = 1
    or {{ value }} is distinct from
    lag({{ value }}) over (partition by customer_id order by valid_from)
{%- endmacro %}
