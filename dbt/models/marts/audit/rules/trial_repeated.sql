with

lines as (
    select * from {{ ref('int_lines_audited') }}
    where is_trial and is_approved
),

customers as (
    {{ current_rows(ref('int_customers_described')) }}
),

-- Trials of versions are one kind, each add-on is another; the lines of one order are one trial.
trials as (
    select
        customer_id,
        coalesce(order_id, line_id) as trial_id,
        case
            when product_kind in ('addon_bound', 'addon_independent') then product_id
            else ''
        end as trial_kind,
        min(line_id) as line_id,
        min(entity) as entity,
        min(entity_key) as entity_key,
        min(coalesce(term_start, sold_on)) as started_on
    from lines
    group by 1, 2, 3
),

identities as (
    select
        customer_id,
        'customer' as identity,
        customer_id as identity_key
    from customers
    union all
    select
        customer_id,
        'legal id' as identity,
        lower(trim(legal_id)) as identity_key
    from customers
    union all
    select
        customer_id,
        'domain' as identity,
        lower(trim(domain)) as identity_key
    from customers
    where lower(trim(domain)) not in ({{ in_list(var('audit_shared_domains')) }})
    union all
    select
        customer_id,
        'name' as identity,
        lower(trim(customer_name)) as identity_key
    from customers
),

followed as (
    select
        trials.*,
        identities.identity,
        lag(trials.customer_id) over (
            partition by identities.identity, identities.identity_key, trials.trial_kind
            order by trials.started_on, trials.trial_id
        ) as customer_before,
        lag(trials.started_on) over (
            partition by identities.identity, identities.identity_key, trials.trial_kind
            order by trials.started_on, trials.trial_id
        ) as started_before
    from trials
    inner join identities on trials.customer_id = identities.customer_id
    where length(identities.identity_key) > 0
),

trial_repeated as (
    select
        customer_id,
        line_id,
        entity,
        entity_key,
        started_on as happened_on,
        'Trial after one of customer ' || max(customer_before) || ' on '
        || cast(max(started_before) as varchar) || ': same '
        || string_agg(identity, ', ' order by identity) || '.' as detail
    from followed
    where customer_before is not null
    group by customer_id, line_id, entity, entity_key, started_on
)

select * from trial_repeated
