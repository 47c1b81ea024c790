with

months as (
    select * from {{ ref('int_months') }}
    where is_closed
),

as_closed as (
    select * from {{ ref('int_customers_mrr_as_closed') }}
),

customer_mrr as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

retention_customers as (
    select * from {{ ref('retention_customers_monthly') }}
    where window_months = 12 and closing_mrr is not null
),

renewals as (
    select * from {{ ref('renewals') }}
),

terms_tonight as (
    select * from {{ ref('int_terms_due') }}
    where judged_by = 'tonight'
),

succeeded_tonight as (
    select * from {{ ref('int_terms_succeeded') }}
    where judged_by = 'tonight'
),

terms as (
    select
        *,
        coalesce(continued_until, effective_end, {{ far_future() }}) as covered_until
    from {{ ref('subscription_terms') }}
    where contract_mrr > 0
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where has_begun and contract_mrr > 0
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_adjusted') }}
),

adjustments as (
    {{ current_rows(ref('stg_finance__adjustments')) }}
),

exchange_rates as (
    select * from {{ ref('stg_finance__exchange_rates') }}
),

-- What a renewal is for good, and what it would be if all that is known tonight had been known.
renewals_compared as (
    select
        terms_tonight.term_id,
        coalesce(renewals.customer_id, terms_tonight.customer_id) as customer_id,
        coalesce(terms_tonight.line_id, renewals.line_id) as line_id,
        coalesce(succeeded_tonight.next_line_id, terms_tonight.line_id, renewals.line_id)
            as next_line_id,
        coalesce(renewals.due_date, terms_tonight.due_date) as due_date,
        coalesce(renewals.matures_on, terms_tonight.matures_on) as matures_on,
        case
            when renewals.is_known_late then 0
            when renewals.days_from_due is not null and renewals.renewed_arr is null then 0
            else coalesce(renewals.due_arr, 0)
        end as closed_due,
        case
            when renewals.is_known_late then 0
            else least(coalesce(renewals.renewed_arr, 0), coalesce(renewals.due_arr, 0))
        end as closed_kept,
        case
            when succeeded_tonight.is_next_rate_missing then 0
            else coalesce(terms_tonight.due_arr, 0)
        end as due_now,
        case
            when terms_tonight.goes_on then coalesce(terms_tonight.due_arr, 0)
            else least(
                coalesce(succeeded_tonight.renewed_arr, 0), coalesce(terms_tonight.due_arr, 0)
            )
        end as kept_now
    from renewals
    full join terms_tonight on renewals.term_id = terms_tonight.term_id
    left join succeeded_tonight on terms_tonight.term_id = succeeded_tonight.term_id
),

{% set longest_grace = [
    var('grace_days_monthly'), var('grace_days_half_year'), var('grace_days_longer')
] | max -%}
renewals_matured as (
    select
        *,
        {{ month_start('due_date') }} as month_start
    from renewals_compared
    where
        {{ add_days(longest_grace, month_end(month_start('due_date'))) }} <= {{ as_of_date() }}
),

-- What each customer adds to each measure, as closed and as known now; of a ratio also to its base.
{% set is_of_year
    = "case when year_opening_mrr > 0 and closing_mrr_at_year_opening is not null then" -%}
{% set contributions = [
    ('as_closed', 'month_start', "'opening_mrr'", 'opening_mrr', 0),
    ('as_closed', 'month_start', "'closing_mrr'", 'closing_mrr', 0),
    ('as_closed', 'month_start', "'currency_effect'", 'currency_effect', 0),
    ('as_closed', 'month_start', 'kind', 'amount', 0),
    ('as_closed', 'month_start', is_of_year ~ " 'grr_12m' end",
        'least(closing_mrr_at_year_opening, year_opening_mrr)', 0, 'year_opening_mrr', 0),
    ('as_closed', 'month_start', is_of_year ~ " 'nrr_12m' end",
        'closing_mrr_at_year_opening', 0, 'year_opening_mrr', 0),
    ('customer_mrr', 'month_start', "'closing_mrr'", 0, 'mrr'),
    ('customer_mrr', add_months(1, 'month_start'), "'opening_mrr'", 0, 'mrr'),
    ('movements', 'month_start', "case kind when 'currency' then 'currency_effect' else kind end",
        0, 'amount'),
    ('retention_customers', month_start('window_end'), "'grr_12m'",
        0, 'retained_mrr', 0, 'opening_mrr'),
    ('retention_customers', month_start('window_end'), "'nrr_12m'",
        0, 'closing_mrr', 0, 'opening_mrr'),
    ('renewals_matured', 'month_start', "'due_arr'", 'closed_due', 'due_now'),
    ('renewals_matured', 'month_start', "'renewed_arr'", 'closed_kept', 'kept_now'),
] -%}
parts as (
    {% for part in contributions -%}
    {% set bases = part[5:] or ('null', 'null') -%}
    select
        {{ part[1] }} as month_start,
        {{ part[2] }} as measure,
        customer_id,
        {{ part[3] }} as closed_amount,
        {{ part[4] }} as amount_now,
        cast({{ bases[0] }} as decimal(38, 10)) as closed_base,
        cast({{ bases[1] }} as decimal(38, 10)) as base_now
    from {{ part[0] }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

customers_compared as (
    select
        parts.month_start,
        parts.measure,
        parts.customer_id,
        sum(parts.closed_amount) as closed_amount,
        sum(parts.amount_now) as amount_now,
        sum(parts.closed_base) as closed_base,
        sum(parts.base_now) as base_now,
        abs(sum(parts.amount_now) - sum(parts.closed_amount))
        + coalesce(abs(sum(parts.base_now) - sum(parts.closed_base)), 0) as difference
    from parts
    inner join months on parts.month_start = months.month_start
    where parts.measure is not null
    group by parts.month_start, parts.measure, parts.customer_id
),

measures_compared as (
    select
        month_start,
        measure,
        case
            when sum(closed_base) is null then sum(closed_amount)
            else {{ divide('sum(closed_amount)', 'sum(closed_base)') }}
        end as as_closed,
        case
            when sum(base_now) is null then sum(amount_now)
            else {{ divide('sum(amount_now)', 'sum(base_now)') }}
        end as as_known_now,
        case when sum(closed_base) is null then 0.005 else 0.00005 end as tolerance,
        max_by(customer_id, (difference, customer_id)) as customer_id
    from customers_compared
    group by month_start, measure
),

restated as (
    select
        measures_compared.*,
        months.month_end,
        months.closed_at
    from measures_compared
    inner join months on measures_compared.month_start = months.month_start
    where
        abs(
            coalesce(measures_compared.as_known_now, 0) - coalesce(measures_compared.as_closed, 0)
        ) >= measures_compared.tolerance
),

-- The row that caused it: of the customer with the largest difference the line with the largest.
dates_searched as (
    {% for months_before in [0, 1, 12] -%}
    select
        month_start,
        customer_id,
        closed_at,
        {{ month_end(add_months(-months_before, 'month_start')) }} as value_date
    from restated
    {{ 'union' if not loop.last }}
    {% endfor -%}
),

lines_valued as (
    select
        dates_searched.month_start,
        dates_searched.customer_id,
        dates_searched.value_date,
        lines_at_dates.line_id,
        -lines_at_dates.contract_mrr as difference
    from dates_searched
    inner join lines_at_dates
        on
            dates_searched.customer_id = lines_at_dates.customer_id
            and dates_searched.value_date = lines_at_dates.value_date
            and dates_searched.closed_at = lines_at_dates.known_until
    union all
    select
        dates_searched.month_start,
        dates_searched.customer_id,
        dates_searched.value_date,
        terms.line_id,
        terms.contract_mrr as difference
    from dates_searched
    inner join terms
        on
            dates_searched.customer_id = terms.customer_id
            and dates_searched.value_date >= terms.term_start
            and dates_searched.value_date < terms.covered_until
),

lines_compared as (
    select
        month_start,
        customer_id,
        value_date,
        line_id,
        abs(sum(difference)) as difference
    from lines_valued
    group by month_start, customer_id, value_date, line_id
),

-- Of a renewal it is the line that follows, else its own.
causing_lines as (
    select
        restated.month_start,
        restated.measure,
        0 as distance,
        max_by(lines_compared.line_id, (lines_compared.difference, lines_compared.line_id))
            as line_id,
        max(restated.closed_at) as known_after
    from restated
    inner join lines_compared
        on
            restated.month_start = lines_compared.month_start
            and restated.customer_id = lines_compared.customer_id
    where
        restated.measure not in ('due_arr', 'renewed_arr')
        and lines_compared.difference > 0
    group by restated.month_start, restated.measure
    {% for column in ['next_line_id', 'line_id'] -%}
    union all
    select
        restated.month_start,
        restated.measure,
        {{ loop.index0 }} as distance,
        max_by(
            renewals_matured.{{ column }},
            (
                abs(renewals_matured.due_now - renewals_matured.closed_due)
                + abs(renewals_matured.kept_now - renewals_matured.closed_kept),
                renewals_matured.line_id
            )
        ) as line_id,
        min({{ day_end('renewals_matured.matures_on') }}) as known_after
    from restated
    inner join renewals_matured
        on
            restated.month_start = renewals_matured.month_start
            and restated.customer_id = renewals_matured.customer_id
    where restated.measure in ('due_arr', 'renewed_arr')
    group by restated.month_start, restated.measure
    {% endfor -%}
    -- At last any line of the customer: a loss told earlier makes a late renewal a reactivation.
    union all
    select distinct
        restated.month_start,
        restated.measure,
        4 as distance,
        lines.line_id,
        restated.closed_at as known_after
    from restated
    inner join lines on restated.customer_id = lines.customer_id
    where restated.measure not in ('due_arr', 'renewed_arr')
),

line_rows as (
    select distinct
        line_id,
        order_line_id,
        order_id,
        subscription_id
    from lines
),

-- A line is restated by a row of its own, else by the line that ends it.
lines_to_blame as (
    select
        causing_lines.month_start,
        causing_lines.measure,
        causing_lines.known_after,
        causing_lines.distance,
        line_rows.*
    from causing_lines
    inner join line_rows on causing_lines.line_id = line_rows.line_id
    union all
    select
        causing_lines.month_start,
        causing_lines.measure,
        causing_lines.known_after,
        causing_lines.distance + 1 as distance,
        line_rows.*
    from causing_lines
    inner join ended
        on
            causing_lines.line_id = ended.line_id
            and causing_lines.known_after < ended.known_from
    inner join line_rows on ended.next_line_id = line_rows.line_id
),

causes as (
    {% for column in ['order_line_id', 'subscription_id', 'order_id'] -%}
    select
        lines_to_blame.month_start,
        lines_to_blame.measure,
        10 * lines_to_blame.distance as place,
        'adjustments' as entity,
        adjustments.adjustment_id as entity_key
    from lines_to_blame
    inner join adjustments
        on
            lines_to_blame.{{ column }} = adjustments.entity_key
            and lines_to_blame.known_after < adjustments.known_from
    union all
    {% endfor -%}
    {% for entity, column in {
        'order_lines': 'order_line_id', 'subscriptions': 'subscription_id', 'orders': 'order_id',
    }.items() -%}
    select
        lines_to_blame.month_start,
        lines_to_blame.measure,
        10 * lines_to_blame.distance + {{ loop.index }} as place,
        '{{ entity }}' as entity,
        {{ entity }}.{{ column }} as entity_key
    from lines_to_blame
    inner join {{ entity }}
        on
            lines_to_blame.{{ column }} = {{ entity }}.{{ column }}
            and lines_to_blame.known_after < {{ entity }}.known_from
    union all
    {% endfor -%}
    select
        restated.month_start,
        restated.measure,
        30 as place,
        'exchange_rates' as entity,
        exchange_rates.currency || ' ' || exchange_rates.rate_date as entity_key
    from restated
    inner join exchange_rates
        on
            restated.closed_at < exchange_rates.known_from
            and restated.month_end >= exchange_rates.rate_date
),

first_causes as (
    select
        month_start,
        measure,
        min_by(entity, (place, entity_key)) as cause_entity,
        min_by(entity_key, (place, entity_key)) as cause_key
    from causes
    group by month_start, measure
),

restatements as (
    select
        restated.month_start,
        restated.measure,
        cast(restated.as_closed as decimal(38, 10)) as as_closed,
        cast(restated.as_known_now as decimal(38, 10)) as as_known_now,
        cast(
            coalesce(restated.as_known_now, 0) - coalesce(restated.as_closed, 0)
            as decimal(38, 10)
        ) as delta,
        restated.customer_id as cause_customer_id,
        first_causes.cause_entity,
        first_causes.cause_key
    from restated
    left join first_causes
        on
            restated.month_start = first_causes.month_start
            and restated.measure = first_causes.measure
)

select * from restatements
