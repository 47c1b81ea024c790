with

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where
        has_begun
        and is_paid
        and value_date = {{ as_of_date() }}
        and known_until = {{ as_of_end() }}
),

-- Where each running line stands on its way to its next renewal.
placed as (
    select
        case
            when is_in_gap then 'in_gap'
            when due_date is null then 'lifetime'
            when due_date <= {{ add_months(var('due_horizon_months'), as_of_date()) }}
                then 'due_in_12_months'
            else 'not_due'
        end as part,
        12 * mrr as arr
    from lines_at_dates
),

parts as (
    {% for part in ['due_in_12_months', 'not_due', 'lifetime', 'in_gap'] -%}
    select '{{ part }}' as part
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

arr_renewal_bridge as (
    select
        parts.part,
        count(placed.part) as term_count,
        cast(coalesce(sum(placed.arr), 0) as decimal(38, 10)) as arr
    from parts
    left join placed on parts.part = placed.part
    group by parts.part
)

select * from arr_renewal_bridge
