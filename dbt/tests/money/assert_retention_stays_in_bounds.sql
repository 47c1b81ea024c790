-- Detects cells that retain more than they had or than is there, and customers that do not sum to
-- their total.
with

retention as (
    select * from {{ ref('retention_monthly') }}
),

customers as (
    select
        window_end,
        window_months,
        count(*) as customer_count,
        sum(opening_mrr) as all_opening_mrr,
        sum(case when closing_mrr is null then 0 else opening_mrr end) as opening_mrr,
        sum(retained_mrr) as retained_mrr,
        sum(closing_mrr) as closing_mrr,
        sum(case when has_returned then 0 else closing_mrr end) as closing_mrr_excluding_returns
    from {{ ref('retention_customers_monthly') }}
    group by window_end, window_months
),

customer_mrr as (
    select
        month_start,
        sum(mrr) as mrr
    from {{ ref('customer_mrr_monthly') }}
    group by month_start
)

select retention.*
from retention
left join customers
    on
        retention.window_end = customers.window_end
        and retention.window_months = customers.window_months
left join customer_mrr on {{ month_start('retention.window_start') }} = customer_mrr.month_start
where
    retention.grr > 1
    or retention.retained_mrr > retention.closing_mrr
    or retention.grr > retention.nrr
    or retention.nrr_excluding_returns > retention.nrr
    or not retention.crr between retention.crr_low - 0.000001 and retention.crr_high + 0.000001
    or (
        retention.segment_by in ('all', 'segment', 'tier', 'csm')
        and retention.customer_count > customers.customer_count
    )
    or (
        retention.segment_by = 'all'
        and (
            abs(customers.all_opening_mrr - customer_mrr.mrr) > 0.005
            or (
                retention.level = 'account'
                and (
                    abs(retention.opening_mrr - customers.opening_mrr) > 0.005
                    or abs(retention.retained_mrr - customers.retained_mrr) > 0.005
                    or abs(retention.closing_mrr - customers.closing_mrr) > 0.005
                    or abs(
                        retention.nrr_excluding_returns * retention.opening_mrr
                        - customers.closing_mrr_excluding_returns
                    ) > 0.005
                )
            )
        )
    )
