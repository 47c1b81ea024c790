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

-- A provisional loss that was made good is none.
losses as (
    select
        customer_id,
        month_start,
        max(case when kind = 'churn' then 1 else 0 end)
        - max(case when kind = 'late_renewal' then 1 else 0 end) as loss_count
    from movements
    group by customer_id, month_start
),

compared as (
    select
        paying.*,
        coalesce(losses.loss_count, 0) as loss_count,
        lag(paying.is_paying) over customer_months as was_paying,
        min(case when paying.is_paying then paying.month_start end)
            over (partition by paying.customer_id) as cohort_month
    from paying
    left join losses
        on
            paying.customer_id = losses.customer_id
            and paying.month_start = losses.month_start
    window
        customer_months as (partition by paying.customer_id order by paying.month_start)
),

counted as (
    select
        month_start,
        sum(mrr) as mrr,
        sum(loss_count) as loss_count,
        count(case when is_paying then 1 end) as customer_count,
        count(case when was_paying then 1 end) as opening_customer_count,
        count(case when was_paying and is_paying then 1 end) as retained_customer_count,
        count(case when month_start = cohort_month then 1 end) as new_customer_count
    from compared
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
        sum(counted.loss_count) over last_year as loss_count_12m,
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
    window
        last_year as (
            order by counted.month_start rows between 11 preceding and current row
        )
),

-- The margin that every tail is made with, as the hazard, is that of the last twelve closed months.
latest as (
    select
        month_start as last_month,
        {{ add_months(-12, 'month_start') }} as year_before,
        margin_ratio_12m
    from months
    where month_start = (select max(last_months.month_start) from months as last_months)
),

customers_observed as (
    select
        compared.customer_id,
        compared.cohort_month,
        sum(cast(compared.mrr * months.margin_ratio as decimal(38, 10))) as observed_margin,
        count(case
            when compared.mrr <= 0 then null
            when months.margin_ratio is null then 1
            when compared.month_start = latest.last_month and latest.margin_ratio_12m is null
                then 1
        end) as unmeasured_month_count,
        count(case when compared.is_rate_missing then 1 end) as rateless_month_count,
        sum(case
            when compared.month_start = latest.last_month and compared.mrr > 0
                then cast(compared.mrr * latest.margin_ratio_12m as decimal(38, 10))
            else 0
        end) as closing_margin,
        sum(case when compared.month_start > latest.year_before then compared.loss_count else 0 end)
            as loss_count_12m,
        count(case
            when compared.month_start > latest.year_before and compared.was_paying then 1
        end) as customer_months_12m
    from compared
    inner join months on compared.month_start = months.month_start
    cross join latest
    where compared.month_start >= compared.cohort_month
    group by compared.customer_id, compared.cohort_month
),

customers_numbered as (
    select
        *,
        row_number() over (partition by cohort_month order by customer_id) as customer_no,
        count(*) over (partition by cohort_month) as cohort_size
    from customers_observed
),

-- Each cohort drawn again and again from its own customers, as many as it has: what else it might
-- have been. Sample 0 is the cohort itself.
draws as (
    select
        0 as sample_no,
        cohort_month,
        customer_no
    from customers_numbered
    union all
    select
        series.generated_number as sample_no,
        numbered.cohort_month,
        1 + cast(floor(numbered.cohort_size * {{ drawn_number([
            'numbered.cohort_month', 'numbered.customer_no', 'series.generated_number'
        ]) }}) as bigint) as customer_no
    from customers_numbered as numbered
    cross join ({{ dbt.generate_series(var('ltv_resamples')) }}) as series
),

samples as (
    select
        draws.sample_no,
        numbered.*
    from draws
    inner join customers_numbered as numbered
        on
            draws.cohort_month = numbered.cohort_month
            and draws.customer_no = numbered.customer_no
),

hazards as (
    select
        sample_no,
        {{ divide('sum(loss_count_12m)', 'sum(customer_months_12m)', 'double') }} as hazard
    from samples
    group by sample_no
),

sample_cohorts as (
    select
        samples.sample_no,
        samples.cohort_month,
        count(*) as customer_count,
        {{ divide_money('sum(samples.observed_margin)', 'count(*)') }} as observed_margin,
        {{ divide_money('sum(samples.closing_margin)', 'count(*)') }} as closing_margin,
        greatest(
            {{ var('lifetime_cap_months') }}
            - {{ month_steps('samples.cohort_month', 'max(latest.last_month)') }} - 1,
            0
        ) as months_left
    from samples
    cross join latest
    where samples.rateless_month_count = 0
    group by samples.sample_no, samples.cohort_month
    having sum(samples.unmeasured_month_count) = 0
),

samples_valued as (
    select
        sample_cohorts.sample_no,
        sample_cohorts.cohort_month,
        sample_cohorts.customer_count,
        cast(
            sample_cohorts.observed_margin
            + sample_cohorts.closing_margin
            * {{ expected_months('hazards.hazard', 'sample_cohorts.months_left') }}
            as decimal(38, 10)
        ) as ltv
    from sample_cohorts
    inner join hazards on sample_cohorts.sample_no = hazards.sample_no
),

cohorts_observed as (
    select * from samples_valued
    where sample_no = 0
),

-- A cohort of one cannot tell how far it might have come out otherwise.
cohorts as (
    select
        observed.cohort_month,
        observed.ltv,
        case when observed.customer_count > 1 then {{ percentile('drawn.ltv', 0.025) }} end
            as ltv_low,
        case when observed.customer_count > 1 then {{ percentile('drawn.ltv', 0.975) }} end
            as ltv_high
    from cohorts_observed as observed
    left join samples_valued as drawn
        on observed.cohort_month = drawn.cohort_month and drawn.sample_no > 0
    group by observed.cohort_month, observed.ltv, observed.customer_count
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
        cohorts.ltv_low,
        cohorts.ltv_high,
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
