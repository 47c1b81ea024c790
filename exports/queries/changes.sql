with

parts as (
    select
        customer_id,
        list(sentence order by abs(delta) desc, part) filter (where sentence is not null)
            as sentences
    from health_changes
    where as_of_date = getvariable('as_of_date')
    group by customer_id
),

states as (
    select customer_id, from_state, to_state, direction
    from usage_transitions
    where
        transition_date = getvariable('as_of_date')
        and from_state <> 'unmeasured'
        and to_state <> 'unmeasured'
),

warned as (
    select
        customer_id,
        list(reason_code order by warning_id) filter (where opened_on = getvariable('as_of_date'))
            as opened,
        list(reason_code order by warning_id) filter (where closed_on = getvariable('as_of_date'))
            as closed
    from churn_warnings
    where getvariable('as_of_date') in (opened_on, closed_on)
    group by customer_id
),

changed as (
    select
        customer_id,
        cast(said.health_score as double) as health_score,
        cast(said.previous_health_score as double) as previous_health_score,
        said.health_band,
        said.previous_health_band,
        states.from_state,
        states.to_state,
        states.direction,
        warned.opened,
        warned.closed,
        parts.sentences
    from said_changes as said
    full join states using (customer_id)
    full join warned using (customer_id)
    left join parts using (customer_id)
)

select
    changed.*,
    changed.health_score - changed.previous_health_score as change,
    customers.customer_name,
    customers.csm_name as csm,
    customers.arr
from changed
left join customer_360 as customers using (customer_id)
where
    abs(changed.health_score - changed.previous_health_score) >= 1
    or (
        changed.previous_health_band is not null
        and changed.health_band is distinct from changed.previous_health_band
    )
    or changed.to_state is not null
    or len(changed.opened) > 0
    or len(changed.closed) > 0
order by
    changed.health_band is distinct from changed.previous_health_band desc,
    abs(changed.health_score - changed.previous_health_score) desc nulls last,
    customers.arr desc nulls last,
    customer_id
