with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_auto_renew
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where payment_due_on is not null
),

period_counts as (
    select
        *,
        1 + {{ periods_ended('term_start', 'whole_months', 'term_days', as_of_date()) }}
            as period_count
    from lines
),

period_numbers as (
    {{ numbers_up_to('(select max(period_count) from period_counts)') }}
),

periods as (
    select
        lines.*,
        period_numbers.number as period_no,
        {{ period_end(
            'lines.term_start', 'lines.whole_months', 'lines.term_days', '(period_numbers.number - 1)'
        ) }} as period_start
    from period_counts as lines
    inner join period_numbers on period_numbers.number between 2 and lines.period_count
),

-- Each is due as long after its start as the first was, or as long before it.
periods_dated as (
    select
        periods.order_id,
        periods.line_id,
        periods.period_no,
        periods.period_start,
        periods.amount,
        {{ add_days(
            elapsed_days('periods.term_start', 'orders.payment_due_on'), 'periods.period_start'
        ) }} as due_on,
        greatest(periods.known_from, orders.known_from) as known_from,
        least(periods.known_to, orders.known_to) as known_to
    from periods
    inner join orders
        on
            periods.order_id = orders.order_id
            and {{ is_known_together('periods', 'orders') }}
),

-- Not owed before its start: nobody knows until then that the line goes on.
periods_due as (
    select
        *,
        greatest({{ add_days(1, 'due_on') }}, period_start) as owed_on
    from periods_dated
),

-- Owed while the version is known and no end before the period is.
changes as (
    select
        order_id,
        line_id,
        period_no,
        period_start,
        due_on,
        greatest(owed_on, {{ company_date('known_from') }}) as changed_on,
        1 as versions,
        0 as ends,
        amount
    from periods_due
    union all
    select
        order_id,
        line_id,
        period_no,
        period_start,
        cast(null as date) as due_on,
        greatest(owed_on, {{ company_date('known_to') }}) as changed_on,
        -1 as versions,
        0 as ends,
        -amount as amount
    from periods_due
    where known_to is not null
    {% for moment, ends in [('known_from', 1), ('known_to', -1)] %}
    union all
    select
        periods.order_id,
        periods.line_id,
        periods.period_no,
        periods.period_start,
        cast(null as date) as due_on,
        {{ company_date('ended.' ~ moment) }} as changed_on,
        0 as versions,
        {{ ends }} as ends,
        0 as amount
    from (
        select distinct
            order_id,
            line_id,
            period_no,
            period_start
        from periods_due
    ) as periods
    inner join ended on periods.line_id = ended.line_id and ended.ends_on <= periods.period_start
    where ended.{{ moment }} is not null
    {%- endfor %}
),

running as (
    select
        order_id,
        line_id,
        period_no,
        period_start,
        changed_on as owed_from,
        lead(changed_on) over following as owed_to,
        max(max(due_on)) over to_date as due_on,
        sum(sum(versions)) over to_date as versions,
        sum(sum(ends)) over to_date as ends,
        sum(sum(amount)) over to_date as amount
    from changes
    group by order_id, line_id, period_no, period_start, changed_on
    window
        following as (
            partition by order_id, line_id, period_no, period_start
            order by changed_on
        ),
        to_date as (
            partition by order_id, line_id, period_no, period_start
            order by changed_on
            rows between unbounded preceding and current row
        )
),

owed as (
    select
        order_id,
        line_id,
        period_no,
        period_start,
        due_on,
        owed_from,
        owed_to,
        cast(amount as decimal(38, 10)) as amount
    from running
    where versions > 0 and ends = 0
)

select * from owed
