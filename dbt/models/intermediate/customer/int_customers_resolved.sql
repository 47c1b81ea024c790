with

customers as (
    {{ current_rows(ref('stg_crm__customers')) }}
),

customer_ids as (
    {{ current_rows(ref('stg_crm__customer_ids')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

subscriptions as (
    {{ current_rows(ref('int_subscriptions_adjusted')) }}
),

services as (
    {{ current_rows(ref('stg_orders__services')) }}
),

wallet_entries as (
    {{ current_rows(ref('stg_orders__wallet_entries')) }}
),

customers_merged as (
    select
        customer_id,
        merged_into_customer_id as next_customer_id
    from customers
    where merged_into_customer_id is not null and merged_into_customer_id != customer_id
),

-- An id of another system stands for a customer where it is no customer itself and unambiguous.
identities as (
    select
        customer_ids.source_id as customer_id,
        max(customer_ids.customer_id) as next_customer_id
    from customer_ids
    left join customers on customer_ids.source_id = customers.customer_id
    where customers.customer_id is null
    group by customer_ids.source_id
    having
        count(distinct customer_ids.customer_id) = 1
        and customer_ids.source_id != max(customer_ids.customer_id)
),

steps as (
    select * from customers_merged
    union all
    select * from identities
),

mentioned as (
    select customer_id from customers
    union
    select customer_id from orders
    union
    select customer_id from subscriptions
    union
    select customer_id from services
    union
    select customer_id from wallet_entries
    union
    select customer_id from steps
    union
    select next_customer_id from steps
),

reached_0 as (
    select
        mentioned.customer_id,
        coalesce(steps.next_customer_id, mentioned.customer_id) as reached_customer_id
    from mentioned
    left join steps on mentioned.customer_id = steps.customer_id
),

-- A merge may follow a merge: each round doubles the steps taken, four make sixteen.
{% for round in range(4) %}
reached_{{ round + 1 }} as (
    select
        reached_{{ round }}.customer_id,
        further.reached_customer_id
    from reached_{{ round }}
    inner join reached_{{ round }} as further
        on reached_{{ round }}.reached_customer_id = further.customer_id
),

{% endfor -%}

-- Merges in a circle lead nowhere: each of its customers stays itself.
resolved as (
    select
        reached_4.customer_id,
        case
            when steps.customer_id is null then reached_4.reached_customer_id
            else reached_4.customer_id
        end as resolved_customer_id,
        steps.customer_id is not null as is_in_circle
    from reached_4
    left join steps on reached_4.reached_customer_id = steps.customer_id
)

select * from resolved
