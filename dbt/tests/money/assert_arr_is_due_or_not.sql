-- Detects a night whose ARR by renewal (due, not due, lifetime, in gap) is not the ARR of its
-- customers, or whose part due is not their due_arr.
with

parts as (
    select
        sum(arr) as arr,
        sum(case when part = 'due_in_12_months' then arr else 0 end) as due_arr
    from {{ ref('arr_renewal_bridge') }}
),

customers as (
    select
        coalesce(sum(arr), 0) as arr,
        coalesce(sum(due_arr_12m), 0) as due_arr
    from {{ ref('int_customers_money_at_dates') }}
    where as_of_date = {{ as_of_date() }} and known_on = {{ as_of_date() }}
)

select
    parts.*,
    customers.arr as customer_arr,
    customers.due_arr as customer_due_arr
from parts
cross join customers
where
    abs(parts.arr - customers.arr) > 0.005
    or abs(parts.due_arr - customers.due_arr) > 0.005
