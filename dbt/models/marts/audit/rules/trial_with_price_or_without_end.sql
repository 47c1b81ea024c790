with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

trial_with_price_or_without_end as (
    select
        customer_id,
        line_id,
        entity,
        entity_key,
        coalesce(term_start, sold_on) as happened_on,
        case
            when amount > 0 then 'A trial for ' || {{ plain_number('amount') }} || ' ' || currency
            else 'A trial'
        end
        || case when term_end is null then ' without an end.' else '.' end as detail
    from lines
    where is_trial and is_approved and (amount > 0 or term_end is null)
)

select * from trial_with_price_or_without_end
