with

paying as (
    select * from {{ ref('int_customers_paying_monthly') }}
),

months as (
    select * from {{ ref('int_margins_monthly') }}
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
        paying.customer_id,
        paying.cohort_month,
        sum(cast(paying.mrr * months.margin_ratio as decimal(38, 10))) as observed_margin,
        count(case
            when paying.mrr <= 0 then null
            when months.margin_ratio is null then 1
            when paying.month_start = latest.last_month and latest.margin_ratio_12m is null
                then 1
        end) as unmeasured_month_count,
        count(case when paying.is_rate_missing then 1 end) as rateless_month_count,
        sum(case
            when paying.month_start = latest.last_month and paying.mrr > 0
                then cast(paying.mrr * latest.margin_ratio_12m as decimal(38, 10))
            else 0
        end) as closing_margin,
        sum(case when paying.month_start > latest.year_before then paying.loss_count else 0 end)
            as loss_count_12m,
        count(case
            when paying.month_start > latest.year_before and paying.was_paying then 1
        end) as customer_months_12m
    from paying
    inner join months on paying.month_start = months.month_start
    cross join latest
    where paying.month_start >= paying.cohort_month
    group by paying.customer_id, paying.cohort_month
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
)

select * from cohorts
