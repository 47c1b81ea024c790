-- Detects months whose opening and movements do not make the closing, or whose closing is not the
-- next opening, to the cent.
with

bridge as (
    select
        *,
        lead(opening_mrr) over (order by month_start) as next_opening_mrr
    from {{ ref('mrr_bridge_monthly') }}
)

select *
from bridge
where
    abs(
        opening_mrr + new + reactivation + late_renewal + expansion + contraction + churn
        + currency_effect - closing_mrr
    ) > 0.005
    or abs(next_opening_mrr - closing_mrr) > 0.005
