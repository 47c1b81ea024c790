{# The columns of customer_360 that a record may be required to hold, and the entities that would
   have to be connected for them (one is enough): without any, an empty field is nobody's fault. #}
{% macro record_fields() %}
{%- set terms = ['order_lines', 'subscriptions'] -%}
{{ return({
    'customer_name': ['customers'],
    'industry': ['customers'],
    'region': ['customers'],
    'country': ['customers'],
    'employee_count': ['customers'],
    'segment': ['customers'],
    'fit_pct': ['customers'],
    'goal_status': ['customers'],
    'primary_contact_name': ['contacts'],
    'csm_id': ['ownerships'],
    'sales_id': ['ownerships'],
    'current_version': terms,
    'next_renewal_date': terms,
    'seats_bought': terms
}) }}
{% endmacro %}

{# The stages of the journey, in its order. #}
{% macro journey_stages() %}
{{ return(['select', 'trial', 'signed', 'onboarding', 'in_use', 'renewing']) }}
{% endmacro %}

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
            {%- set literals = [] -%}
            {%- for value in criterion['values'] -%}
                {%- do literals.append(text_literal(value)) -%}
            {%- endfor -%}
            {%- do conditions.append(column ~ ' in (' ~ literals | join(', ') ~ ')') -%}
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
