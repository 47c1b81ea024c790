with

paying as (
    select * from {{ ref('int_customers_paying_monthly') }}
),

costs as (
    {{ current_rows(ref('stg_finance__costs')) }}
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
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

counted as (
    select
        month_start,
        sum(mrr) as mrr,
        sum(loss_count) as loss_count,
        avg(case when is_paying and not is_rate_missing then mrr end) as mean_mrr,
        count(case when was_paying then 1 end) as opening_customer_count,
        count(case when was_paying and is_paying then 1 end) as retained_customer_count,
        count(case when month_start = cohort_month then 1 end) as new_customer_count
    from paying
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
)

select * from months
