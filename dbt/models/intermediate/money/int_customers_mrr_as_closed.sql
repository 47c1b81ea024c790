with

months as (
    select
        *,
        {{ month_end(add_months(-1, 'month_start')) }} as opening_date,
        {{ month_end(add_months(-12, 'month_start')) }} as year_opening_date
    from {{ ref('int_months') }}
    where is_closed
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where has_begun and contract_mrr > 0
),

rates_at_dates as (
    select * from {{ ref('int_exchange_rates_at_dates') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where contract_mrr > 0 and is_paid
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

continued as (
    select * from {{ ref('int_contract_lines_continued') }}
),

{% set dates = {
    'closing': 'month_end', 'opening': 'opening_date', 'year_opening': 'year_opening_date',
} -%}
rates_monthly as (
    select
        months.month_start,
        {% for name, date in dates.items() -%}
        max(case when rates_at_dates.value_date = months.{{ date }} then rates_at_dates.rate end)
            as {{ name }}_rate,
        {% endfor -%}
        rates_at_dates.currency
    from months
    inner join rates_at_dates on months.closed_at = rates_at_dates.known_until
    group by months.month_start, rates_at_dates.currency
),

contracts_monthly as (
    select
        months.month_start,
        lines_at_dates.customer_id,
        {% for name, date in dates.items() -%}
        sum(
            case
                when lines_at_dates.value_date = months.{{ date }} then lines_at_dates.contract_mrr
                else 0
            end
        ) as {{ name }}_contract_mrr,
        {% endfor -%}
        lines_at_dates.currency
    from months
    inner join lines_at_dates
        on
            months.closed_at = lines_at_dates.known_until
            and lines_at_dates.value_date
            in (months.month_end, months.opening_date, months.year_opening_date)
    group by months.month_start, lines_at_dates.customer_id, lines_at_dates.currency
),

-- Changes at the opening's rate, as in the movements; a window's end at the rate of its opening.
customers_monthly as (
    select
        contracts_monthly.month_start,
        contracts_monthly.customer_id,
        {% for name in dates -%}
        sum(
            coalesce(contracts_monthly.{{ name }}_contract_mrr * rates_monthly.{{ name }}_rate, 0)
        ) as {{ name }}_mrr,
        {% endfor -%}
        sum(
            coalesce(
                (
                    contracts_monthly.closing_contract_mrr
                    - contracts_monthly.opening_contract_mrr
                ) * coalesce(rates_monthly.opening_rate, rates_monthly.closing_rate),
                0
            )
        ) as amount,
        sum(contracts_monthly.opening_contract_mrr) > 0 as had_mrr,
        sum(contracts_monthly.closing_contract_mrr) > 0 as has_mrr,
        {% for name in dates -%}
        max(
            case
                when
                    contracts_monthly.{{ name }}_contract_mrr > 0
                    and rates_monthly.{{ name }}_rate is null
                    then 1
                else 0
            end
        ) = 1 as is_{{ name }}_rate_missing,
        {% endfor -%}
        sum(
            coalesce(
                contracts_monthly.closing_contract_mrr
                * coalesce(rates_monthly.year_opening_rate, rates_monthly.closing_rate),
                0
            )
        ) as closing_mrr_at_year_opening
    from contracts_monthly
    left join rates_monthly
        on
            contracts_monthly.month_start = rates_monthly.month_start
            and contracts_monthly.currency = rates_monthly.currency
    group by contracts_monthly.month_start, contracts_monthly.customer_id
),

-- Who comes from nothing: had the customer paid before, and until when, as known at the close?
lines_of_starters as (
    select
        customers_monthly.month_start,
        customers_monthly.customer_id,
        months.closed_at,
        lines.line_id,
        lines.term_start,
        lines.grace_days,
        case when not lines.is_auto_renew then lines.term_end end as term_end
    from customers_monthly
    inner join months on customers_monthly.month_start = months.month_start
    inner join lines
        on
            customers_monthly.customer_id = lines.customer_id
            and {{ is_known_at('lines', 'months.closed_at') }}
    where not customers_monthly.had_mrr and customers_monthly.has_mrr
),

ends_of_starters as (
    select
        lines_of_starters.*,
        coalesce(least(lines_of_starters.term_end, first_ends.ends_on), {{ far_future() }})
            as ends_on
    from lines_of_starters
    left join first_ends
        on
            lines_of_starters.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'lines_of_starters.closed_at') }}
),

covered as (
    select
        ends_of_starters.*,
        coalesce(continued.continued_until, ends_of_starters.ends_on) as covered_until
    from ends_of_starters
    left join continued
        on
            ends_of_starters.line_id = continued.line_id
            and ends_of_starters.ends_on = continued.ends_on
            and {{ is_known_at('continued', 'ends_of_starters.closed_at') }}
    where ends_of_starters.ends_on > ends_of_starters.term_start
),

starters as (
    select
        month_start,
        customer_id,
        min(case when term_start >= month_start then term_start end) as run_start,
        max_by(
            {{ add_days('grace_days', 'covered_until') }}, (covered_until, grace_days)
        ) filter (where term_start < month_start) as previous_grace_end
    from covered
    group by month_start, customer_id
),

decided as (
    select
        customers_monthly.*,
        case
            when not customers_monthly.has_mrr
                then case when customers_monthly.had_mrr then 'churn' end
            when not customers_monthly.had_mrr
                then case
                    when starters.previous_grace_end is null then 'new'
                    when starters.run_start <= starters.previous_grace_end then 'late_renewal'
                    else 'reactivation'
                end
            when customers_monthly.is_opening_rate_missing then null
            when customers_monthly.is_closing_rate_missing then null
            when customers_monthly.amount > 0 then 'expansion'
            when customers_monthly.amount < 0 then 'contraction'
        end as kind
    from customers_monthly
    left join starters
        on
            customers_monthly.month_start = starters.month_start
            and customers_monthly.customer_id = starters.customer_id
),

as_closed as (
    select
        customer_id,
        month_start,
        kind,
        cast(opening_mrr as decimal(38, 10)) as opening_mrr,
        cast(case when kind is null then 0 else amount end as decimal(38, 10)) as amount,
        cast(
            closing_mrr - opening_mrr - case when kind is null then 0 else amount end
            as decimal(38, 10)
        ) as currency_effect,
        cast(closing_mrr as decimal(38, 10)) as closing_mrr,
        cast(year_opening_mrr as decimal(38, 10)) as year_opening_mrr,
        cast(
            case
                when not has_mrr then 0
                when not is_year_opening_rate_missing and not is_closing_rate_missing
                    then closing_mrr_at_year_opening
            end as decimal(38, 10)
        ) as closing_mrr_at_year_opening
    from decided
)

select * from as_closed
