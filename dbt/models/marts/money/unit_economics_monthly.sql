with

paying as (
    select * from {{ ref('int_customers_paying_monthly') }}
),

months as (
    select * from {{ ref('int_margins_monthly') }}
),

cohorts as (
    select * from {{ ref('int_cohorts_valued') }}
),

customers_rated as (
    select
        customer_id,
        cohort_month,
        min(case when is_rate_missing then 0 else 1 end) as is_rated
    from paying
    where month_start >= cohort_month
    group by customer_id, cohort_month
),

cohorts_rated as (
    select
        cohort_month,
        max(is_rated) = 1 as is_cohort_rated
    from customers_rated
    group by cohort_month
),

cohort_months as (
    select
        paying.cohort_month,
        paying.month_start,
        max(case when paying.is_rate_missing then 1 else 0 end) as is_rate_missing,
        case
            when sum(paying.mrr) = 0 then 0
            else cast(sum(paying.mrr) * max(months.margin_ratio) as decimal(38, 10))
        end as margin
    from paying
    inner join months on paying.month_start = months.month_start
    where paying.month_start >= paying.cohort_month
    group by paying.cohort_month, paying.month_start
),

-- After a month without costs of revenue, or with money without a rate, nobody knows what has been
-- earned back.
cohort_months_running as (
    select
        cohort_month,
        month_start,
        case
            when count(margin) over to_date = count(*) over to_date then sum(margin) over to_date
        end as margin_to_date,
        coalesce(sum(is_rate_missing) over to_date - is_rate_missing, 0) > 0
            as was_rate_missing
    from cohort_months
    window to_date as (partition by cohort_month order by month_start)
),

paid_back as (
    select
        running.cohort_month,
        case
            when not min_by(running.was_rate_missing, running.month_start)
                then min({{ month_steps('running.cohort_month', 'running.month_start') }} + 1)
        end as payback_months
    from cohort_months_running as running
    inner join months on running.cohort_month = months.month_start
    where running.margin_to_date >= months.presales_cost
    group by running.cohort_month
),

joined as (
    select
        months.*,
        {{ divide('months.presales_cost', 'months.new_customer_count', 'decimal(38, 10)') }}
            as cac,
        {{ divide('months.care_cost', 'months.retained_customer_count', 'decimal(38, 10)') }}
            as crc,
        cohorts.ltv,
        cohorts.ltv_low,
        cohorts.ltv_high,
        cohorts_rated.is_cohort_rated,
        paid_back.payback_months
    from months
    left join cohorts_rated on months.month_start = cohorts_rated.cohort_month
    left join cohorts on months.month_start = cohorts.cohort_month
    left join paid_back on months.month_start = paid_back.cohort_month
),

unit_economics_monthly as (
    select
        month_start,
        cast(new_customer_count as bigint) as new_customer_count,
        cast(retained_customer_count as bigint) as retained_customer_count,
        cast(loss_count_12m as bigint) as loss_count_12m,
        cac,
        crc,
        margin_ratio as gross_margin_ratio,
        cast(ltv as decimal(38, 10)) as ltv,
        cast(ltv_low as decimal(38, 10)) as ltv_low,
        cast(ltv_high as decimal(38, 10)) as ltv_high,
        {{ divide('ltv', 'cac', 'double') }} as ltv_cac,
        payback_months,
        {{ divide('presales_cost', 'presales_cost + aftersales_cost', 'double') }}
            as cost_share_presales,
        case
            when loss_count_12m >= {{ var('least_losses') }}
                then cast(
                    mean_mrr * margin_ratio_12m
                    / {{ divide('loss_count_12m', 'customer_months_12m', 'double') }}
                    as decimal(38, 10)
                )
        end as ltv_by_churn,
        case
            when not has_costs then 'no_costs'
            when presales_cost is null then 'no_presales_costs'
            when care_cost is null then 'no_care_costs'
            when margin_ratio is null and mrr > 0 then 'no_cost_of_revenue'
            when mrr is null or not is_cohort_rated then 'no_exchange_rate'
            when new_customer_count = 0 then 'no_new_customers'
            when ltv is null then 'no_cost_of_revenue'
        end as missing_reason
    from joined
)

select * from unit_economics_monthly
