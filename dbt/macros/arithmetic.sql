{# One division, the same on every engine: null for a zero or unknown denominator, cast once. #}
{% macro divide(numerator, denominator, type='decimal(38,10)') -%}
    cast(cast({{ numerator }} as double) / nullif(cast({{ denominator }} as double), 0) as {{ type }})
{%- endmacro %}

{# Money: exact. Multiplies first, divides once, in DECIMAL. #}
{% macro divide_money(numerator, denominator) -%}
    cast(cast({{ numerator }} as decimal(38, 10)) / nullif({{ denominator }}, 0) as decimal(38, 10))
{%- endmacro %}

{# A number from 0 to below 1 that looks random and depends on nothing but these values. #}
{% macro drawn_number(values) -%}
    (
        cast('0x' || substr(md5(concat_ws('|', {{ values | join(', ') }})), 1, 8) as bigint)
        / 4294967296.0
    )
{%- endmacro %}
