{{
    config(
        materialized='incremental',
        database='cache',
        pre_hook='{{ forget_counted_weeks(this) if is_incremental() else "select 1" }}'
    )
}}

with

weeks as (
    {{ use_weeks_digested() }}
),

customers as (
    select * from {{ ref('int_customers_measured') }}
    where first_use_date is not null
),

customer_weeks as (
    select
        customers.customer_id,
        weeks.week_start,
        weeks.dates_digest,
        customers.customer_digest
    from customers
    inner join weeks on customers.first_use_date <= {{ plus_days('weeks.week_start', 6) }}
),

missing as (
    select * from customer_weeks
    {{ where_not_kept('customer_weeks', ['customer_id', 'week_start']) }}
),

{{ accounts_to_read(['week_start']) }}

{%- set columns = ['user_id', 'activity_date', 'known_date', 'value_action_count'] %}
{%- set week_start = dbt.date_trunc('week', 'activity_date') %}

{#- The first date says nothing new, but what is older is not even read. #}
{%- set looked_at %}
    activity_date >= (select min(missing_else.week_start) from missing_else)
    and {{ week_start }} in (select missing_else.week_start from missing_else)
{%- endset %}

user_days as (
    {{ uses_to_read(ref('int_user_days_rolled_up'), columns, looked_at) }}
),

-- A week's use can be known no earlier than the week's end: it is not looked at before.
user_weeks as (
    select
        customer_id,
        user_id,
        cast({{ week_start }} as date) as week_start,
        greatest(known_date, {{ plus_days(week_start, 6) }}) as known_date,
        sum(value_action_count) as value_action_count
    from user_days
    group by
        customer_id,
        user_id,
        cast({{ week_start }} as date),
        greatest(known_date, {{ plus_days(week_start, 6) }})
),

followed as (
    select
        *,
        row_number() over user_week = 1 as is_new,
        row_number() over (
            partition by customer_id, user_id, week_start, value_action_count > 0
            order by known_date
        ) = 1 and value_action_count > 0 as is_new_with_value
    from user_weeks
    window user_week as (partition by customer_id, user_id, week_start order by known_date)
),

learnt as (
    select
        customer_id,
        week_start,
        known_date,
        {{ count_when('is_new and user_id is not null') }} as user_count,
        {{ count_when('is_new_with_value and user_id is not null') }} as value_user_count,
        sum(value_action_count) as value_action_count
    from followed
    group by customer_id, week_start, known_date
),

-- A week without use is kept as one empty row: it has been counted.
weeks_learnt as (
    select
        missing.customer_id,
        missing.week_start,
        missing.dates_digest,
        missing.customer_digest,
        learnt.known_date,
        cast(coalesce(learnt.user_count, 0) as bigint) as user_count,
        cast(coalesce(learnt.value_user_count, 0) as bigint) as value_user_count,
        cast(coalesce(learnt.value_action_count, 0) as bigint) as value_action_count
    from missing
    left join learnt
        on missing.customer_id = learnt.customer_id and missing.week_start = learnt.week_start
)

select * from weeks_learnt
