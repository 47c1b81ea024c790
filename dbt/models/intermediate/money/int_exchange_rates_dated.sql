with

rates as (
    {{ current_rows(ref('stg_finance__exchange_rates')) }}
),

dated as (
    select
        currency,
        rate_date as valid_from,
        coalesce(
            lead(rate_date) over (partition by currency order by rate_date), {{ far_future() }}
        ) as valid_to,
        cast(rate as decimal(20, 10)) as rate
    from rates
    where currency != '{{ var("company_currency") }}'
    union all
    select
        '{{ var("company_currency") }}' as currency,
        cast('0001-01-01' as date) as valid_from,
        {{ far_future() }} as valid_to,
        cast(1 as decimal(20, 10)) as rate
)

select * from dated
