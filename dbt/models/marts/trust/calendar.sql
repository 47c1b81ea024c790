with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

holidays as (
    select * from {{ ref('stg_ingest__holidays') }}
),

first_facts as (
    select as_of_date as first_date from night
    union all
    select min({{ company_date('created_at') }}) as first_date from {{ ref('stg_crm__customers') }}
    union all
    select min({{ company_date('ordered_at') }}) as first_date from {{ ref('int_orders_adjusted') }}
    union all
    select min(term_start) as first_date from {{ ref('int_order_lines_adjusted') }}
    union all
    select min(term_start) as first_date from {{ ref('int_subscriptions_adjusted') }}
    union all
    select min(activity_date) as first_date from {{ ref('int_tenant_days_rolled_up') }}
),

span as (
    select
        min(first_facts.first_date) as first_date,
        max(night.as_of_date) + {{ var('company_calendar_days_ahead') }} as last_date
    from first_facts
    cross join night
),

days as (
    {{ days_between('(select span.first_date from span)', '(select span.last_date from span)') }}
),

fiscal as (
    select
        calendar_date,
        cast({{ dbt.date_trunc('week', 'calendar_date') }} as date) as week_start,
        cast({{ dbt.date_trunc('month', 'calendar_date') }} as date) as month_start,
        -- A fiscal year has the name of the calendar year in which it ends.
        cast({{ dbt.dateadd(
            'month', (13 - var('company_fiscal_year_starts_in')) % 12, 'calendar_date'
        ) }} as date) as fiscal_date
    from days
),

described as (
    select
        fiscal.calendar_date,
        {{ dbt.datediff('fiscal.week_start', 'fiscal.calendar_date', 'day') }} < 5
        and holidays.holiday_date is null as is_working_day,
        fiscal.week_start,
        fiscal.month_start,
        concat(
            cast(extract(year from fiscal.fiscal_date) as varchar),
            '-Q',
            cast(extract(quarter from fiscal.fiscal_date) as varchar)
        ) as fiscal_quarter
    from fiscal
    left join holidays on fiscal.calendar_date = holidays.holiday_date
)

select * from described
