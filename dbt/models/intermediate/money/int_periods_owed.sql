with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where order_id is not null
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
    where payment_due_on is not null
),

periods as (
    {{ periods_begun('lines', as_of_date()) }}
),

-- The first is due with its order; each later one as long after its start as the first was, or as
-- long before it.
periods_dated as (
    select
        periods.order_id,
        periods.line_id,
        periods.period_no,
        periods.period_start,
        periods.period_end,
        periods.amount,
        case
            when periods.period_no > 1
                then {{ add_days(
                    elapsed_days('periods.term_start', 'orders.payment_due_on'),
                    'periods.period_start'
                ) }}
        end as due_on,
        greatest(periods.known_from, orders.known_from) as known_from,
        least(periods.known_to, orders.known_to) as known_to
    from periods
    inner join orders
        on
            periods.order_id = orders.order_id
            and {{ is_known_together('periods', 'orders') }}
),

-- A later one is not owed before its start: nobody knows until then that the line goes on.
periods_due as (
    select
        *,
        greatest({{ add_days(1, 'due_on') }}, case when period_no > 1 then period_start end)
            as owed_on
    from periods_dated
),

-- An end takes back the part of a period after it, as long as that end is the first one known. A
-- later period that never began was not ordered.
periods_taken_back as (
    select
        periods_due.order_id,
        periods_due.line_id,
        periods_due.period_no,
        periods_due.period_start,
        cast(null as date) as due_on,
        periods_due.owed_on,
        -case
            when first_ends.ends_on <= periods_due.period_start then periods_due.amount
            else {{ divide_money(
                'periods_due.amount * '
                ~ elapsed_days('first_ends.ends_on', 'periods_due.period_end'),
                elapsed_days('periods_due.period_start', 'periods_due.period_end')
            ) }}
        end as amount,
        periods_due.period_no = 1 or first_ends.ends_on > periods_due.period_start as was_ordered,
        greatest(periods_due.known_from, first_ends.known_from) as known_from,
        least(periods_due.known_to, first_ends.known_to) as known_to
    from periods_due
    inner join first_ends
        on
            periods_due.line_id = first_ends.line_id
            and (
                first_ends.ends_on < periods_due.period_end
                or first_ends.ends_on <= periods_due.period_start
            )
            and {{ is_known_together('periods_due', 'first_ends') }}
),

parts as (
    {% for relation in ['periods_due', 'periods_taken_back'] -%}
    select
        order_id,
        line_id,
        period_no,
        period_start,
        due_on,
        owed_on,
        amount,
        {{ '0' if loop.first else 'case when was_ordered then -amount else 0 end' }} as taken_back,
        known_from,
        known_to
    from {{ relation }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

changes as (
    select
        *,
        greatest(owed_on, {{ company_date('known_from') }}) as changed_on,
        amount as change,
        taken_back as taken_back_change
    from parts
    union all
    select
        *,
        greatest(owed_on, {{ company_date('known_to') }}) as changed_on,
        -amount as change,
        -taken_back as taken_back_change
    from parts
    where known_to is not null
),

periods_owed as (
    select
        order_id,
        line_id,
        period_no,
        period_start,
        changed_on,
        case when sum(change) > 0 then max(case when change > 0 then due_on end) end as due_on,
        cast(sum(change) as decimal(38, 10)) as amount,
        cast(sum(taken_back_change) as decimal(38, 10)) as taken_back
    from changes
    group by order_id, line_id, period_no, period_start, changed_on
    having sum(change) != 0 or sum(taken_back_change) != 0
)

select * from periods_owed
