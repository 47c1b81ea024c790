-- Detects terms whose monthly amount times their length is not the line's amount to the cent.
with

terms as (
    select
        terms.*,
        subscriptions.mrr as stated_mrr
    from {{ ref('subscription_terms') }} as terms
    left join {{ ref('int_subscriptions_adjusted') }} as subscriptions
        on
            terms.subscription_id = subscriptions.subscription_id
            and subscriptions.known_to is null
    where terms.contract_mrr is not null
)

select *
from terms
where
    stated_mrr is null
    and abs(
        case
            when whole_months is not null then contract_mrr * whole_months
            else contract_mrr * 12 * term_days / 365.0
        end - amount
    ) > 0.005
