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

cohort_months as (
    select
        paying.cohort_month,
        paying.month_start,
        case
            when sum(paying.mrr) = 0 then 0
            else cast(sum(paying.mrr) * max(months.margin_ratio) as decimal(38, 10))
        end as margin
    from paying
    inner join months on paying.month_start = months.month_start
    where paying.month_start >= paying.cohort_month
    group by paying.cohort_month, paying.month_start
),

-- After a month without costs of revenue nobody knows what has been earned back.
cohort_months_running as (
    select
        cohort_month,
        month_start,
        case
            when count(margin) over to_date = count(*) over to_date then sum(margin) over to_date
        end as margin_to_date
    from cohort_months
    window to_date as (partition by cohort_month order by month_start)
),

paid_back as (
    select
        running.cohort_month,
        min({{ month_steps('running.cohort_month', 'running.month_start') }} + 1)
            as payback_months
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
        paid_back.payback_months
    from months
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
                    {{ divide('mrr', 'customer_count', 'double') }} * margin_ratio_12m
                    / {{ divide('loss_count_12m', 'customer_months_12m', 'double') }}
                    as decimal(38, 10)
                )
        end as ltv_by_churn,
        case
            when not has_costs then 'no_costs'
            when presales_cost is null then 'no_presales_costs'
            when care_cost is null then 'no_care_costs'
            when margin_ratio is null and mrr > 0 then 'no_cost_of_revenue'
            when new_customer_count = 0 then 'no_new_customers'
            when ltv is null then 'no_cost_of_revenue'
        end as missing_reason
    from joined
)

select * from unit_economics_monthly
