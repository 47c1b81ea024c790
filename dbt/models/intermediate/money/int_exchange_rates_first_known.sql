with

rates as (
    select * from {{ ref('stg_finance__exchange_rates') }}
),

ordered as (
    select
        *,
        row_number() over (partition by currency, rate_date order by known_from) as version_no
    from rates
    where currency != '{{ var("company_currency") }}'
),

dated as (
    select
        currency,
        rate_date as valid_from,
        coalesce(
            lead(rate_date) over (partition by currency order by rate_date), {{ far_future() }}
        ) as valid_to,
        cast(rate as decimal(20, 10)) as rate
    from ordered
    where version_no = 1
    union all
    select
        '{{ var("company_currency") }}' as currency,
        cast('0001-01-01' as date) as valid_from,
        {{ far_future() }} as valid_to,
        cast(1 as decimal(20, 10)) as rate
)

select * from dated
