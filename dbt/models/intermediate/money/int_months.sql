with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_paid
),

first_month as (
    select {{ month_start('min(term_start)') }} as month_start from lines
),

month_numbers as (
    {{ numbers_up_to(
        '(select ' ~ month_steps('first_month.month_start', as_of_date()) ~ ' + 1 from first_month)'
    ) }}
),

begun as (
    select
        {{ add_months('cast(month_numbers.number - 1 as int)', 'first_month.month_start') }}
            as month_start
    from first_month
    cross join month_numbers
),

months as (
    select
        month_start,
        {{ month_end('month_start') }} as month_end,
        {{ day_end('month_start') }} as begun_at,
        {{ day_end(add_days(var('close_days'), month_end('month_start'))) }} as closed_at,
        {{ month_end('month_start') }} <= {{ as_of_date() }} as has_ended,
        {{ add_days(var('close_days'), month_end('month_start')) }} <= {{ as_of_date() }}
            as is_closed
    from begun
)

select * from months
