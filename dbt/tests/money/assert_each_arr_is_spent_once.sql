-- Detects successors that renew more ARR than they have. Only contracts of the company's currency
-- are compared: others are valued at each term's own rate.
with

renewals as (
    select * from {{ ref('renewals') }}
    where outcome in ('renewed_early', 'renewed_on_time', 'renewed_late', 'coterminated')
),

terms as (
    select * from {{ ref('subscription_terms') }}
    where currency = '{{ var("company_currency") }}'
),

spent as (
    select
        renewals.successor_term_id,
        max(terms.arr) as arr,
        sum(least(renewals.renewed_arr, renewals.due_arr)) as spent_arr
    from renewals
    inner join terms on renewals.successor_term_id = terms.term_id
    where renewals.currency = '{{ var("company_currency") }}' and not renewals.is_mature
    group by renewals.successor_term_id
)

select *
from spent
where spent_arr > arr + 0.005
