{# Share of the configured criteria of the ideal customer that a relation meets, among those whose
   column is known; null without any. #}
{% macro icp_fit(relation) -%}
    {%- if not var('icp') -%}
    cast(null as double)
    {%- else -%}
    {%- set met = [] -%}
    {%- set known = [] -%}
    {%- for criterion in var('icp') -%}
        {%- set column = relation ~ '.' ~ criterion['column'] -%}
        {%- set conditions = [] -%}
        {%- if criterion['values'] -%}
            {%- do conditions.append(column ~ ' in (' ~ text_literals(criterion['values']) ~ ')') -%}
        {%- endif -%}
        {%- if criterion['at_least'] is not none -%}
            {%- do conditions.append(column ~ ' >= ' ~ criterion['at_least']) -%}
        {%- endif -%}
        {%- if criterion['at_most'] is not none -%}
            {%- do conditions.append(column ~ ' <= ' ~ criterion['at_most']) -%}
        {%- endif -%}
        {%- do met.append('case when ' ~ conditions | join(' and ') ~ ' then 1 else 0 end') -%}
        {%- do known.append('case when ' ~ column ~ ' is not null then 1 else 0 end') -%}
    {%- endfor -%}
    {{ divide(met | join(' + '), '(' ~ known | join(' + ') ~ ')', 'double') }}
    {%- endif -%}
{%- endmacro %}
