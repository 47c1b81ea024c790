-- Detects days on which the company's distinct users are more than its customers' together or fewer
-- than the largest customer's, and month ends at which its MRR is not that of its customers.
with

kpis as (
    select * from {{ ref('kpi_daily') }}
),

usage_days as (
    select
        activity_date,
        sum(active_user_count) as users_1d,
        sum(active_user_count_7d) as users_7d,
        sum(active_user_count_28d) as users_28d,
        max(active_user_count) as most_users_1d,
        max(active_user_count_7d) as most_users_7d,
        max(active_user_count_28d) as most_users_28d
    from {{ ref('customer_usage_daily') }}
    group by activity_date
),

months as (
    select
        {{ month_end('month_start') }} as month_end,
        sum(mrr) as mrr
    from {{ ref('customer_mrr_monthly') }}
    group by month_start
)

select
    kpis.kpi_date,
    kpis.dau,
    kpis.wau,
    kpis.mau,
    kpis.mrr,
    months.mrr as mrr_of_customers
from kpis
inner join usage_days on kpis.kpi_date = usage_days.activity_date
left join months on kpis.kpi_date = months.month_end
where
    kpis.dau > usage_days.users_1d
    or kpis.wau > usage_days.users_7d
    or kpis.mau > usage_days.users_28d
    or kpis.dau < usage_days.most_users_1d
    or kpis.wau < usage_days.most_users_7d
    or kpis.mau < usage_days.most_users_28d
    or abs(kpis.mrr - months.mrr) > 0.005
