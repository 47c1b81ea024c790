with

costs as (
    {{ current_rows(ref('stg_finance__costs')) }}
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

customer_months as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

costs_valued as (
    select
        {{ month_start('costs.month') }} as month_start,
        costs.category,
        cast(costs.amount * rates.rate as decimal(38, 10)) as amount
    from costs
    left join rates
        on
            coalesce(costs.currency, '{{ var("company_currency") }}') = rates.currency
            and {{ month_end(month_start('costs.month')) }} >= rates.valid_from
            and {{ month_end(month_start('costs.month')) }} < rates.valid_to
),

costs_monthly as (
    select
        month_start,
        {{ cost_of(['sales', 'marketing']) }} as presales_cost,
        {{ cost_of(['onboarding', 'cs', 'support']) }} as care_cost,
        {{ cost_of(['onboarding', 'cs', 'support', 'hosting']) }} as aftersales_cost,
        {{ cost_of(var('cost_of_revenue')) }} as cost_of_revenue
    from costs_valued
    group by month_start
),

-- Whose MRR has no exchange rate pays all the same.
paying as (
    select
        customer_id,
        month_start,
        mrr,
        is_rate_missing,
        coalesce(mrr, 1) > 0 as is_paying
    from customer_months
),

compared as (
    select
        *,
        lag(is_paying) over (partition by customer_id order by month_start) as was_paying,
        min(case when is_paying then month_start end) over (partition by customer_id)
            as cohort_month
    from paying
),

counted as (
    select
        month_start,
        sum(mrr) as mrr,
        count(case when is_paying then 1 end) as customer_count,
        count(case when was_paying then 1 end) as opening_customer_count,
        count(case when was_paying and is_paying then 1 end) as retained_customer_count,
        count(case when month_start = cohort_month then 1 end) as new_customer_count
    from compared
    group by month_start
),

-- A provisional loss that was made good is none.
losses as (
    select
        month_start,
        count(distinct case when kind = 'churn' then customer_id end)
        - count(distinct case when kind = 'late_renewal' then customer_id end) as loss_count
    from movements
    group by month_start
),

months as (
    select
        counted.*,
        costs_monthly.month_start is not null as has_costs,
        costs_monthly.presales_cost,
        costs_monthly.care_cost,
        costs_monthly.aftersales_cost,
        {{ divide('counted.mrr - costs_monthly.cost_of_revenue', 'counted.mrr', 'double') }}
            as margin_ratio,
        sum(coalesce(losses.loss_count, 0)) over last_year as loss_count_12m,
        sum(counted.opening_customer_count) over last_year as customer_months_12m,
        case
            when
                count(costs_monthly.cost_of_revenue) over last_year = count(*) over last_year
                then {{ divide(
                    'sum(counted.mrr - costs_monthly.cost_of_revenue) over last_year',
                    'sum(counted.mrr) over last_year',
                    'double'
                ) }}
        end as margin_ratio_12m
    from counted
    left join costs_monthly on counted.month_start = costs_monthly.month_start
    left join losses on counted.month_start = losses.month_start
    window
        last_year as (
            order by counted.month_start rows between 11 preceding and current row
        )
),

-- The hazard and margin that every tail is made with: those of the last twelve closed months.
latest as (
    select
        month_start as last_month,
        margin_ratio_12m,
        {{ divide('loss_count_12m', 'customer_months_12m', 'double') }} as hazard
    from months
    where month_start = (select max(last_months.month_start) from months as last_months)
),

customers_observed as (
    select
        compared.customer_id,
        compared.cohort_month,
        sum(cast(compared.mrr * months.margin_ratio as decimal(38, 10))) as observed_margin,
        count(case when compared.mrr > 0 and months.margin_ratio is null then 1 end)
            as unmeasured_month_count,
        count(case when compared.is_rate_missing then 1 end) as rateless_month_count,
        max(case when compared.month_start = latest.last_month then compared.mrr end)
            as closing_mrr
    from compared
    inner join months on compared.month_start = months.month_start
    cross join latest
    where compared.month_start >= compared.cohort_month
    group by compared.customer_id, compared.cohort_month
),

cohorts_aged as (
    select
        months.month_start as cohort_month,
        latest.hazard,
        latest.margin_ratio_12m,
        greatest(
            {{ var('lifetime_cap_months') }}
            - {{ month_steps('months.month_start', 'latest.last_month') }} - 1,
            0
        ) as months_left
    from months
    cross join latest
),

-- Months a customer that is still there may be expected to stay, at a constant hazard.
tails as (
    select
        cohort_month,
        margin_ratio_12m,
        case
            when hazard > 0 then (1 - hazard) * (1 - power(1 - hazard, months_left)) / hazard
            else months_left
        end as expected_months
    from cohorts_aged
),

customers_valued as (
    select
        customers_observed.cohort_month,
        cast(
            case
                when customers_observed.unmeasured_month_count = 0
                    then
                        customers_observed.observed_margin
                        + case
                            when customers_observed.closing_mrr = 0 then 0
                            else
                                customers_observed.closing_mrr * tails.margin_ratio_12m
                                * tails.expected_months
                        end
            end as decimal(38, 10)
        ) as lifetime_margin
    from customers_observed
    inner join tails on customers_observed.cohort_month = tails.cohort_month
    where customers_observed.rateless_month_count = 0
),

cohorts_averaged as (
    select
        cohort_month,
        count(*) as customer_count,
        case
            when count(lifetime_margin) = count(*)
                then {{ divide_money('sum(lifetime_margin)', 'count(*)') }}
        end as ltv
    from customers_valued
    group by cohort_month
),

-- The 95 % interval of the mean over the cohort's customers. Sums are of decimals, which are exact
-- in any order.
cohorts as (
    select
        cohorts_averaged.cohort_month,
        cohorts_averaged.ltv,
        case
            when cohorts_averaged.customer_count > 1
                then 1.9599640 * sqrt(
                    cast(
                        sum(cast(
                            power(customers_valued.lifetime_margin - cohorts_averaged.ltv, 2)
                            as decimal(38, 6)
                        )) as double
                    ) / (cohorts_averaged.customer_count * (cohorts_averaged.customer_count - 1))
                )
        end as ltv_margin_of_error
    from cohorts_averaged
    inner join customers_valued
        on cohorts_averaged.cohort_month = customers_valued.cohort_month
    group by
        cohorts_averaged.cohort_month,
        cohorts_averaged.ltv,
        cohorts_averaged.customer_count
),

cohort_months as (
    select
        compared.cohort_month,
        compared.month_start,
        cast(sum(compared.mrr) * max(months.margin_ratio) as decimal(38, 10)) as margin
    from compared
    inner join months on compared.month_start = months.month_start
    where compared.month_start >= compared.cohort_month
    group by compared.cohort_month, compared.month_start
),

cohort_months_running as (
    select
        cohort_month,
        month_start,
        sum(margin) over (partition by cohort_month order by month_start) as margin_to_date
    from cohort_months
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
        cohorts.ltv_margin_of_error,
        case when months.new_customer_count > 0 then paid_back.payback_months end
            as payback_months
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
        cast(ltv - ltv_margin_of_error as decimal(38, 10)) as ltv_low,
        cast(ltv + ltv_margin_of_error as decimal(38, 10)) as ltv_high,
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
