with

customers as (
    {{ current_rows(ref('stg_crm__customers')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

subscriptions as (
    {{ current_rows(ref('int_subscriptions_adjusted')) }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
),

runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'paid'
),

purchases as (
    select * from {{ ref('int_customers_purchases_dated') }}
    where is_known_tonight
),

renewals as (
    select * from {{ ref('renewals') }}
),

seen as (
    select
        customer_id,
        {{ company_date('coalesce(created_at, known_from)') }} as seen_on
    from customers
    union all
    select
        customer_id,
        {{ company_date('ordered_at') }} as seen_on
    from orders
    union all
    select
        customer_id,
        least(term_start, {{ company_date('coalesce(booked_at, known_from)') }}) as seen_on
    from subscriptions
),

first_seen as (
    select
        coalesce(customers_resolved.resolved_customer_id, seen.customer_id) as customer_id,
        min(seen.seen_on) as seen_on
    from seen
    left join customers_resolved on seen.customer_id = customers_resolved.customer_id
    group by coalesce(customers_resolved.resolved_customer_id, seen.customer_id)
),

first_renewed as (
    select
        customer_id,
        min(successor_start) as renewed_on
    from renewals
    where successor_start is not null
    group by customer_id
),

-- Every status as the days it may hold: none before its first day, or where that is none. Where
-- several hold, the lowest precedence wins, and of churned and pay as you go the one begun last.
candidates as (
    select
        runs.customer_id,
        'renewed' as status,
        1 as precedence,
        greatest(runs.run_start, first_renewed.renewed_on) as holds_from,
        runs.run_end as holds_to
    from runs
    inner join first_renewed on runs.customer_id = first_renewed.customer_id
    union all
    select
        customer_id,
        'formal' as status,
        2 as precedence,
        run_start as holds_from,
        run_end as holds_to
    from runs
    union all
    select
        customer_id,
        'lapsed' as status,
        3 as precedence,
        run_end as holds_from,
        least(grace_end, next_run_start) as holds_to
    from runs
    union all
    select
        customer_id,
        'trial' as status,
        4 as precedence,
        term_start as holds_from,
        effective_end as holds_to
    from terms
    where is_trial
    union all
    select
        customer_id,
        'signed' as status,
        5 as precedence,
        closed_on as holds_from,
        term_start as holds_to
    from terms
    where is_paid
    union all
    select
        customer_id,
        'churned' as status,
        6 as precedence,
        grace_end as holds_from,
        cast(null as date) as holds_to
    from runs
    where next_run_start is null or next_run_start > grace_end
    union all
    select
        customer_id,
        'pay_as_you_go' as status,
        6 as precedence,
        purchased_on as holds_from,
        cast(null as date) as holds_to
    from purchases
    union all
    select
        customer_id,
        'prospect' as status,
        7 as precedence,
        seen_on as holds_from,
        cast(null as date) as holds_to
    from first_seen
),

boundaries as (
    select
        customer_id,
        holds_from as valid_from
    from candidates
    union
    select
        customer_id,
        holds_to as valid_from
    from candidates
),

decided as (
    select
        boundaries.customer_id,
        boundaries.valid_from,
        candidates.status,
        row_number() over (
            partition by boundaries.customer_id, boundaries.valid_from
            order by candidates.precedence, candidates.holds_from desc, candidates.status desc
        ) as place
    from boundaries
    inner join candidates
        on
            boundaries.customer_id = candidates.customer_id
            and boundaries.valid_from >= candidates.holds_from
            and (boundaries.valid_from < candidates.holds_to or candidates.holds_to is null)
    where boundaries.valid_from <= {{ as_of_date() }}
),

compared as (
    select
        customer_id,
        valid_from,
        status,
        lag(status) over (partition by customer_id order by valid_from) as previous_status
    from decided
    where place = 1
),

status_periods as (
    select
        customer_id,
        status,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from compared
    where previous_status is null or previous_status != status
)

select * from status_periods
