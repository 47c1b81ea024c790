{%- set stages = ['select', 'trial', 'signed', 'onboarding', 'in_use', 'renewing'] -%}
{#- What a record may be required to hold, and the entities of which one has to be connected for
    it: without any, an empty field is nobody's fault. -#}
{%- set terms = ['order_lines', 'subscriptions'] -%}
{%- set fields = {
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
} -%}
with

customers as (
    select * from {{ ref('customer_360') }}
),

connections as (
    select * from {{ ref('connections') }}
    where is_connected
),

stages as (
    {%- for stage in stages %}
    select
        '{{ stage }}' as journey_stage,
        {{ loop.index }} as stage_no
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

-- The stage a customer is in, and those it came through.
stages_reached as (
    select
        customers.*,
        stages_asked.journey_stage as stage
    from customers
    inner join stages on customers.journey_stage = stages.journey_stage
    inner join stages as stages_asked on stages.stage_no >= stages_asked.stage_no
),

field_sources as (
    {%- for field, entities in fields.items() %}
    {%- for entity in entities %}
    select
        '{{ field }}' as field,
        '{{ entity }}' as entity
    union all
    {%- endfor %}
    {%- endfor %}
    select
        null as field,
        null as entity
    where false
),

fields_connected as (
    select distinct field_sources.field
    from field_sources
    inner join connections on field_sources.entity = connections.entity
),

fields_required as (
    {%- for stage in stages %}
    {%- for field in var('required_fields').get(stage, []) %}
    select
        stages_reached.customer_id,
        stages_reached.stage as journey_stage,
        '{{ field }}' as field,
        {% if field in ['customer_name', 'primary_contact_name'] -%}
        coalesce(trim(stages_reached.{{ field }}), '') != '' as is_filled
        {%- else -%}
        stages_reached.{{ field }} is not null as is_filled
        {%- endif %}
    from stages_reached
    where stages_reached.stage = '{{ stage }}'
    union all
    {%- endfor %}
    {%- endfor %}
    select
        null as customer_id,
        null as journey_stage,
        null as field,
        null as is_filled
    where false
),

fields_asked as (
    select fields_required.*
    from fields_required
    inner join fields_connected on fields_required.field = fields_connected.field
),

record_completeness as (
    select
        customer_id,
        journey_stage,
        cast(count(*) as bigint) as required_count,
        {{ divide(count_when('is_filled'), 'count(*)', 'double') }} as completeness_ratio,
        {{ joined_texts('case when not is_filled then field end', "', '", 'order by field') }}
            as missing_fields
    from fields_asked
    group by customer_id, journey_stage
)

select * from record_completeness
