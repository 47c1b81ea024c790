-- Detects closed months whose opening and movements, as known at the close, do not make the
-- closing.
with

as_closed as (
    select * from {{ ref('int_customers_mrr_as_closed') }}
)

select *
from as_closed
where
    abs(opening_mrr + amount + currency_effect - closing_mrr) > 0.005
    or (amount != 0 and kind is null)
    or opening_mrr < 0
    or closing_mrr < 0
