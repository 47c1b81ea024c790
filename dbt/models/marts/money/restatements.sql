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

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
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
        coalesce({{ part[4] }}, 0) as amount_now,
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

-- The row that caused it: of the customer with the largest difference the line with the largest, on
-- the days that the measure looks at; a movement is what lies between its two.
{% set renewal_measures = "'due_arr', 'renewed_arr'" -%}
{% set ratios = "'grr_12m', 'nrr_12m'" -%}
{% set others = "'opening_mrr', 'closing_mrr', " ~ ratios ~ ", " ~ renewal_measures -%}
{% set days_searched = [
    ("= 'closing_mrr'", 0, 1), ("= 'opening_mrr'", 1, 1),
    ("in (" ~ ratios ~ ")", 0, 1), ("in (" ~ ratios ~ ")", 12, 1),
    ("not in (" ~ others ~ ")", 0, 1), ("not in (" ~ others ~ ")", 1, -1),
] -%}
dates_searched as (
    {% for measures, months_before, sign in days_searched -%}
    select
        month_start,
        measure,
        customer_id,
        closed_at,
        {{ month_end(add_months(-months_before, 'month_start')) }} as value_date,
        {{ sign }} as sign
    from restated
    where measure {{ measures }}
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

lines_valued as (
    select
        dates_searched.*,
        lines_at_dates.line_id,
        lines_at_dates.currency,
        -lines_at_dates.contract_mrr as difference
    from dates_searched
    inner join lines_at_dates
        on
            dates_searched.customer_id = lines_at_dates.customer_id
            and dates_searched.value_date = lines_at_dates.value_date
            and dates_searched.closed_at = lines_at_dates.known_until
    union all
    select
        dates_searched.*,
        terms.line_id,
        terms.currency,
        terms.contract_mrr as difference
    from dates_searched
    inner join terms
        on
            dates_searched.customer_id = terms.customer_id
            and dates_searched.value_date >= terms.term_start
            and dates_searched.value_date < terms.covered_until
),

currencies_held as (
    select distinct
        month_start,
        measure,
        currency
    from lines_valued
),

-- Money without a rate is worth nothing: it moves no total, though perhaps a kind.
lines_compared as (
    select
        lines_valued.month_start,
        lines_valued.measure,
        lines_valued.closed_at,
        lines_valued.line_id,
        lines_valued.value_date,
        abs(sum(lines_valued.difference)) as difference,
        sum(lines_valued.difference * coalesce(rates.rate, 0)) as worth,
        sum(lines_valued.difference * lines_valued.sign * coalesce(rates.rate, 0)) as signed_worth
    from lines_valued
    left join rates
        on
            lines_valued.currency = rates.currency
            and lines_valued.value_date >= rates.valid_from
            and lines_valued.value_date < rates.valid_to
    group by
        lines_valued.month_start,
        lines_valued.measure,
        lines_valued.closed_at,
        lines_valued.line_id,
        lines_valued.value_date
),

lines_weighed as (
    select
        month_start,
        measure,
        closed_at,
        line_id,
        abs(sum(signed_worth)) as net_worth,
        sum(abs(worth)) as worth,
        sum(difference) as difference,
        max(value_date) as last_date
    from lines_compared
    group by month_start, measure, closed_at, line_id
),

terms_compared as (
    select
        restated.month_start,
        restated.measure,
        max_by(
            {
                'line_id': renewals_matured.line_id,
                'next_line_id': renewals_matured.next_line_id,
                'known_after': {{ day_end('renewals_matured.matures_on') }}
            },
            (
                case restated.measure
                    when 'due_arr' then abs(renewals_matured.due_now - renewals_matured.closed_due)
                    else abs(renewals_matured.kept_now - renewals_matured.closed_kept)
                end,
                renewals_matured.term_id
            )
        ) as term
    from restated
    inner join renewals_matured
        on
            restated.month_start = renewals_matured.month_start
            and restated.customer_id = renewals_matured.customer_id
    where restated.measure in ({{ renewal_measures }})
    group by restated.month_start, restated.measure
),

terms_restated as (
    select
        month_start,
        measure,
        term['line_id'] as line_id,
        term['next_line_id'] as next_line_id,
        term['known_after'] as known_after
    from terms_compared
),

-- What is due depends on the line itself, what is renewed on the one that follows. Money without a
-- rate comes after rates.
causing_lines as (
    select
        month_start,
        measure,
        case when max(worth) > 0 then 1 else 5 end as distance,
        max_by(line_id, (net_worth, worth, difference, line_id)) as line_id,
        max(closed_at) as known_after,
        max(last_date) as ended_by
    from lines_weighed
    where difference > 0
    group by month_start, measure
    {% for measure, columns in {
        'due_arr': ['line_id', 'next_line_id'], 'renewed_arr': ['next_line_id', 'line_id'],
    }.items() -%}
    {% for column in columns -%}
    union all
    select
        month_start,
        measure,
        {{ loop.index0 }} as distance,
        {{ column }} as line_id,
        known_after,
        null as ended_by
    from terms_restated
    where measure = '{{ measure }}'
    {% endfor -%}
    {% endfor -%}
    -- At last any line of the customer: a loss told earlier makes a late renewal a reactivation.
    union all
    select distinct
        restated.month_start,
        restated.measure,
        8 as distance,
        lines.line_id,
        coalesce(terms_restated.known_after, restated.closed_at) as known_after,
        null as ended_by
    from restated
    inner join lines on restated.customer_id = lines.customer_id
    left join terms_restated
        on
            restated.month_start = terms_restated.month_start
            and restated.measure = terms_restated.measure
),

line_rows as (
    select distinct
        line_id,
        order_line_id,
        order_id,
        subscription_id
    from lines
),

-- A line is restated by the line that truly ends it by the day of the measure and became known for
-- it, else by a row of its own, else by any line that ends it.
endings as (
    select
        line_id,
        next_line_id,
        ends_on,
        min(known_from) as known_from,
        max(case when known_to is null then 1 else 0 end) = 1 as holds_tonight
    from ended
    group by line_id, next_line_id, ends_on
),

ended_tonight as (
    select
        line_id,
        min(ends_on) as ends_on
    from endings
    where holds_tonight
    group by line_id
),

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
        causing_lines.distance
        + case
            when
                endings.ends_on = ended_tonight.ends_on
                and endings.ends_on <= causing_lines.ended_by
                and lines.line_id is null
                then -1
            else 1
        end as distance,
        line_rows.*
    from causing_lines
    inner join endings
        on
            causing_lines.line_id = endings.line_id
            and causing_lines.known_after < endings.known_from
    left join ended_tonight on endings.line_id = ended_tonight.line_id
    left join lines
        on endings.line_id = lines.line_id and endings.known_from = lines.known_from
    inner join line_rows on endings.next_line_id = line_rows.line_id
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
        dates_searched.month_start,
        dates_searched.measure,
        -- Movements are valued at the opening's rate; what rates did shows at the closing.
        case
            when dates_searched.measure = 'currency_effect' then -2 - dates_searched.sign
            else 41 + dates_searched.sign
        end as place,
        'exchange_rates' as entity,
        exchange_rates.currency || ' ' || exchange_rates.rate_date as entity_key
    from dates_searched
    inner join currencies_held
        on
            dates_searched.month_start = currencies_held.month_start
            and dates_searched.measure = currencies_held.measure
    inner join rates
        on
            currencies_held.currency = rates.currency
            and dates_searched.value_date >= rates.valid_from
            and dates_searched.value_date < rates.valid_to
    inner join exchange_rates
        on
            rates.currency = exchange_rates.currency
            and rates.valid_from = exchange_rates.rate_date
            and dates_searched.closed_at < exchange_rates.known_from
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
