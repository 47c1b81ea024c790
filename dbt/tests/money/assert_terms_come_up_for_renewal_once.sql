-- Detects paid terms without a renewal, and mature or open renewals of terms that nobody knows.
with

terms as (
    select * from {{ ref('subscription_terms') }}
    where is_paid and term_start <= {{ as_of_date() }}
),

renewals as (
    select * from {{ ref('renewals') }}
)

select
    terms.term_id,
    renewals.term_id as renewal_term_id
from terms
full join renewals on terms.term_id = renewals.term_id
where
    (terms.term_id is not null and renewals.term_id is null)
    or (
        terms.term_id is null
        and not renewals.is_mature
        and renewals.term_start <= {{ as_of_date() }}
    )
