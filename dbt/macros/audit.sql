{# Did anything of the entity ever come? What never came is not measured, and no rule fires. #}
{% macro is_connected(entity) -%}
    '{{ entity }}' in (select connected.entity from {{ ref('int_entities_connected') }} as connected)
{%- endmacro %}

{# A number as people write it: no trailing zeros. #}
{% macro plain_number(number) -%}
    rtrim(rtrim(cast(cast({{ number }} as decimal(20, 6)) as varchar), '0'), '.')
{%- endmacro %}

{# The words of a var as a list of lower-case literals. #}
{% macro in_list(words) -%}
    {%- for word in words -%}
        '{{ word | lower | replace("'", "''") }}'{{ ', ' if not loop.last }}
    {%- else -%}''
    {%- endfor -%}
{%- endmacro %}
