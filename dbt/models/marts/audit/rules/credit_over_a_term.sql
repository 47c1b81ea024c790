with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

credit_over_a_term as (
    select
        customer_id,
        line_id,
        entity,
        entity_key,
        term_start as happened_on,
        'Takes off ' || {{ plain_number('-amount') }} || ' ' || currency
        || ', which lowers no MRR.' as detail
    from lines
    where
        amount < 0
        and is_approved
        and not is_trial
        and coalesce(product_kind, 'version') not in ('one_time', 'usage')
        and term_start is not null
        and (ends_on is null or ends_on > {{ as_of_date() }})
)

select * from credit_over_a_term
