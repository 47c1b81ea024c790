-- Detects customers whose history ends otherwise than customer_360 describes them, which takes
-- status, tier and CSM from the signals of tonight.
{{ config(severity='warn') }}

with

history as (
    select * from {{ ref('customer_history') }}
    where valid_to is null
),

signals as (
    select
        service.customer_id,
        money.status,
        service.tier,
        service.csm_id
    from {{ ref('int_customers_service_at_dates') }} as service
    left join {{ ref('int_customers_money_at_dates') }} as money
        on
            service.customer_id = money.customer_id
            and service.as_of_date = money.as_of_date
            and service.known_on = money.known_on
    where service.as_of_date = {{ as_of_date() }} and service.known_on = {{ as_of_date() }}
)

select
    history.customer_id,
    history.status,
    signals.status as status_tonight,
    history.tier,
    signals.tier as tier_tonight,
    history.csm_id,
    signals.csm_id as csm_id_tonight
from history
inner join signals on history.customer_id = signals.customer_id
where
    history.status != signals.status
    or history.tier is distinct from signals.tier
    or history.csm_id is distinct from signals.csm_id
