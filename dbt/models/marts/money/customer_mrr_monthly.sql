with

valued as (
    select * from {{ ref('int_terms_valued_monthly') }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
    where contract_mrr > 0
),

first_months as (
    select
        customer_id,
        {{ month_start('min(term_start)') }} as month_start
    from terms
    group by customer_id
),

last_month as (
    select {{ month_start(add_days(1, as_of_date())) }} as month_start
),

month_numbers as (
    {{ numbers_up_to(
        '(select max(' ~ month_steps('first_months.month_start', 'last_month.month_start')
        ~ ') from first_months cross join last_month)'
    ) }}
),

-- Every closed month from the first paid one on, also those without MRR.
customer_months as (
    select
        first_months.customer_id,
        {{ add_months('cast(month_numbers.number - 1 as int)', 'first_months.month_start') }}
            as month_start
    from first_months
    cross join last_month
    inner join month_numbers
        on
            month_numbers.number
            <= {{ month_steps('first_months.month_start', 'last_month.month_start') }}
),

-- Terms that run without any rate leave the MRR unknown, beside others too low; without terms it
-- is 0.
summed as (
    select
        customer_id,
        month_start,
        sum(mrr) as mrr,
        count(mrr) < count(*) as is_rate_missing
    from valued
    group by customer_id, month_start
),

customer_mrr_monthly as (
    select
        customer_months.customer_id,
        customer_months.month_start,
        cast(case when summed.customer_id is null then 0 else summed.mrr end as decimal(38, 10))
            as mrr,
        coalesce(summed.is_rate_missing, false) as is_rate_missing
    from customer_months
    left join summed
        on
            customer_months.customer_id = summed.customer_id
            and customer_months.month_start = summed.month_start
)

select * from customer_mrr_monthly
