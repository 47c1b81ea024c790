with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
),

rates_at_dates as (
    select * from {{ ref('int_exchange_rates_at_dates') }}
),

purchases as (
    select * from {{ ref('int_customers_purchases_dated') }}
),

renewals as (
    select * from {{ ref('renewals') }}
),

overdue as (
    select * from {{ ref('int_orders_overdue') }}
),

connected as (
    select * from {{ ref('int_entities_connected') }}
    where entity = 'payments'
),

retained as (
    select * from renewals
    where successor_start is not null
),

dues as (
    select
        lines_at_dates.*,
        coalesce(
            retained.outcome_date <= lines_at_dates.value_date
            and retained.outcome_known_at <= lines_at_dates.known_until,
            false
        ) as is_renewed
    from lines_at_dates
    left join retained
        on
            lines_at_dates.line_id = retained.line_id
            and lines_at_dates.open_due_date = retained.due_date
),

summed as (
    select
        customer_id,
        value_date,
        known_until,
        sum(mrr) as mrr,
        sum(
            case
                when
                    open_due_date
                    <= {{ add_months(var('due_horizon_months'), 'value_date') }}
                    then 12 * mrr
            end
        ) as due_arr,
        min(case when not is_renewed then open_due_date end) as next_renewal_date,
        sum(case when is_paid and unit = '{{ var("seat_unit") }}' then quantity end)
            as seats_bought,
        max(case when is_paid then 1 else 0 end) as is_paying,
        max(case when is_trial then 1 else 0 end) as is_in_trial
    from dues
    group by customer_id, value_date, known_until
),

signed as (
    select
        lines.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        cast(
            sum(12 * lines.contract_mrr * rates_at_dates.rate)
            as decimal(38, 10)
        ) as contracted_arr,
        min(lines.term_end) as next_renewal_date
    from lines
    inner join signal_dates
        on
            lines.term_start > signal_dates.as_of_date
            and lines.closed_on <= signal_dates.as_of_date
            and {{ is_known_at('lines', 'signal_dates.known_until') }}
    left join rates_at_dates
        on
            lines.currency = rates_at_dates.currency
            and signal_dates.as_of_date = rates_at_dates.value_date
            and signal_dates.known_until = rates_at_dates.known_until
    where lines.is_paid
    group by lines.customer_id, signal_dates.as_of_date, signal_dates.known_on
),

-- Since when a customer is there, and since when it pays, by the lines known so far: a line that
-- became known later counts only where it moves the first day back.
first_days as (
    select
        customer_id,
        least(term_start, closed_on) as first_date,
        case when is_paid then term_start end as paid_date,
        known_from
    from lines
    union all
    select
        customer_id,
        purchased_on as first_date,
        cast(null as date) as paid_date,
        known_at as known_from
    from purchases
),

first_days_compared as (
    select
        *,
        min(first_date) over (
            partition by customer_id
            order by known_from, first_date, paid_date nulls last
            rows between unbounded preceding and 1 preceding
        ) as first_date_before,
        min(paid_date) over (
            partition by customer_id
            order by known_from, first_date, paid_date nulls last
            rows between unbounded preceding and 1 preceding
        ) as paid_date_before
    from first_days
),

first_days_known as (
    select * from first_days_compared
    where
        first_date_before is null
        or first_date < first_date_before
        or (paid_date is not null and (paid_date_before is null or paid_date < paid_date_before))
),

present as (
    select
        first_days_known.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until,
        min(
            case
                when first_days_known.paid_date <= signal_dates.as_of_date
                    then first_days_known.paid_date
            end
        ) as first_paid_date
    from first_days_known
    inner join signal_dates
        on
            first_days_known.first_date <= signal_dates.as_of_date
            and first_days_known.known_from <= signal_dates.known_until
    group by
        first_days_known.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        signal_dates.known_until
),

-- Who paid once and does not now: when did the last of it end, as known then?
not_paying as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_until
    from present
    left join summed
        on
            present.customer_id = summed.customer_id
            and present.as_of_date = summed.value_date
            and present.known_until = summed.known_until
    where present.first_paid_date is not null and coalesce(summed.is_paying, 0) = 0
),

lines_with_ends as (
    select distinct line_id from ended
),

-- A line without an end of its own is overtaken by the next one that ends no sooner.
lines_followed as (
    select
        lines.line_id,
        lines.customer_id,
        lines.grace_days,
        lines.contract_mrr,
        lines.term_start,
        lines.known_from,
        lines.known_to,
        case when not lines.is_auto_renew then lines.term_end end as term_end,
        lead(
            case
                when
                    lines_with_ends.line_id is null
                    and not lines.is_auto_renew
                    and lines.known_to is null
                    then lines.term_end
            end
        ) over (
            partition by lines.customer_id
            order by lines.term_start, lines.known_from, lines.line_id
        ) as next_term_end,
        lead(greatest(lines.term_start, {{ company_date('lines.known_from') }})) over (
            partition by lines.customer_id
            order by lines.term_start, lines.known_from, lines.line_id
        ) as next_from
    from lines
    left join lines_with_ends on lines.line_id = lines_with_ends.line_id
    where lines.is_paid
),

lines_not_overtaken as (
    select
        *,
        case
            when next_term_end >= term_end then next_from
            else {{ far_future() }}
        end as overtaken_on
    from lines_followed
),

past_lines as (
    select
        not_paying.customer_id,
        not_paying.as_of_date,
        not_paying.known_until,
        lines_not_overtaken.line_id,
        lines_not_overtaken.grace_days,
        lines_not_overtaken.contract_mrr,
        lines_not_overtaken.term_end
    from not_paying
    inner join lines_not_overtaken
        on
            not_paying.customer_id = lines_not_overtaken.customer_id
            and lines_not_overtaken.term_start <= not_paying.as_of_date
            and lines_not_overtaken.overtaken_on > not_paying.as_of_date
    where {{ is_known_at('lines_not_overtaken', 'not_paying.known_until') }}
),

past_ends as (
    select
        past_lines.customer_id,
        past_lines.as_of_date,
        past_lines.known_until,
        past_lines.line_id,
        max(past_lines.grace_days) as grace_days,
        max(past_lines.contract_mrr) as contract_mrr,
        least(max(past_lines.term_end), min(ended.ends_on)) as line_end
    from past_lines
    left join ended
        on
            past_lines.line_id = ended.line_id
            and {{ is_known_at('ended', 'past_lines.known_until') }}
    group by
        past_lines.customer_id,
        past_lines.as_of_date,
        past_lines.known_until,
        past_lines.line_id
),

last_ends as (
    select
        customer_id,
        as_of_date,
        known_until,
        max(line_end) as last_end,
        max(contract_mrr) as contract_mrr,
        max_by(
            {{ add_days('grace_days', 'line_end') }}, (line_end, grace_days)
        ) as last_grace_end
    from past_ends
    group by customer_id, as_of_date, known_until
),

purchases_known as (
    select
        customer_id,
        purchased_on,
        greatest(purchased_on, {{ company_date('known_at') }}) as known_on
    from purchases
),

purchases_ordered as (
    select
        customer_id,
        known_on,
        max(purchased_on) over (
            partition by customer_id
            order by known_on, purchased_on
            rows between unbounded preceding and current row
        ) as purchased_on,
        lead(known_on) over (partition by customer_id order by known_on, purchased_on)
            as next_known_on
    from purchases_known
),

first_renewed as (
    select
        customer_id,
        min(successor_start) as renewed_on,
        min(greatest(successor_start, {{ company_date('outcome_known_at') }})) as known_renewed_on
    from retained
    group by customer_id
),

-- The outcome of the renewal that matured last; terms that mature on one day count by ARR.
matured as (
    select
        customer_id,
        matures_on,
        max_by(outcome, (coalesce(due_arr, 0), term_id)) as outcome
    from renewals
    where is_mature
    group by customer_id, matures_on
),

matured_ordered as (
    select
        *,
        lead(matures_on) over (partition by customer_id order by matures_on) as next_matures_on
    from matured
),

overdue_at_dates as (
    select
        overdue.customer_id,
        signal_dates.as_of_date,
        signal_dates.known_on,
        sum(overdue.overdue_amount * rates_at_dates.rate)
            as overdue_amount,
        max({{ elapsed_days('overdue.payment_due_on', 'signal_dates.as_of_date') }}) as overdue_days
    from overdue
    inner join signal_dates
        on
            overdue.overdue_from <= signal_dates.as_of_date
            and overdue.overdue_to > signal_dates.as_of_date
    left join rates_at_dates
        on
            overdue.currency = rates_at_dates.currency
            and signal_dates.as_of_date = rates_at_dates.value_date
            and signal_dates.known_until = rates_at_dates.known_until
    group by overdue.customer_id, signal_dates.as_of_date, signal_dates.known_on
),

joined as (
    select
        present.customer_id,
        present.as_of_date,
        present.known_on,
        present.first_paid_date,
        case
            when summed.is_paying = 1
                then case
                    when
                        case
                            when present.known_on > present.as_of_date
                                then first_renewed.renewed_on
                            else first_renewed.known_renewed_on
                        end <= present.as_of_date
                        then 'renewed'
                    else 'formal'
                end
            when last_ends.last_grace_end > present.as_of_date then 'lapsed'
            when summed.is_in_trial = 1 then 'trial'
            when signed.customer_id is not null then 'signed'
            when purchases_ordered.purchased_on >= last_ends.last_grace_end then 'pay_as_you_go'
            when last_ends.last_end is not null then 'churned'
            when purchases_ordered.purchased_on is not null then 'pay_as_you_go'
            else 'prospect'
        end as status,
        case
            when summed.mrr is not null then summed.mrr
            when last_ends.contract_mrr is not null then 0
        end as mrr,
        signed.contracted_arr,
        case
            when {{ add_days(-90, 'present.as_of_date') }} >= present.first_paid_date
                then coalesce(summed_before.mrr, 0)
        end as mrr_90d_ago,
        case when summed.is_paying = 1 then coalesce(summed.due_arr, 0) end as due_arr_12m,
        coalesce(summed.next_renewal_date, signed.next_renewal_date) as next_renewal_date,
        summed.seats_bought,
        matured_ordered.outcome as last_outcome,
        case
            when connected.connected_from <= present.known_until
                then coalesce(overdue_at_dates.overdue_amount, 0)
        end as overdue_amount,
        case
            when connected.connected_from <= present.known_until
                then coalesce(overdue_at_dates.overdue_days, 0)
        end as overdue_days
    from present
    left join connected on true
    left join summed
        on
            present.customer_id = summed.customer_id
            and present.as_of_date = summed.value_date
            and present.known_until = summed.known_until
    left join summed as summed_before
        on
            present.customer_id = summed_before.customer_id
            and {{ add_days(-90, 'present.as_of_date') }} = summed_before.value_date
            and present.known_until = summed_before.known_until
    left join signed
        on
            present.customer_id = signed.customer_id
            and present.as_of_date = signed.as_of_date
            and present.known_on = signed.known_on
    left join last_ends
        on
            present.customer_id = last_ends.customer_id
            and present.as_of_date = last_ends.as_of_date
            and present.known_until = last_ends.known_until
    left join purchases_ordered
        on
            present.customer_id = purchases_ordered.customer_id
            and present.as_of_date >= purchases_ordered.known_on
            and (
                present.as_of_date < purchases_ordered.next_known_on
                or purchases_ordered.next_known_on is null
            )
    left join first_renewed on present.customer_id = first_renewed.customer_id
    left join matured_ordered
        on
            present.customer_id = matured_ordered.customer_id
            and present.as_of_date >= matured_ordered.matures_on
            and (
                present.as_of_date < matured_ordered.next_matures_on
                or matured_ordered.next_matures_on is null
            )
    left join overdue_at_dates
        on
            present.customer_id = overdue_at_dates.customer_id
            and present.as_of_date = overdue_at_dates.as_of_date
            and present.known_on = overdue_at_dates.known_on
),

money_at_dates as (
    select
        customer_id,
        as_of_date,
        known_on,
        status,
        {{ elapsed_days('first_paid_date', 'as_of_date') }} as tenure_days,
        cast(mrr as decimal(38, 10)) as mrr,
        cast(12 * mrr as decimal(38, 10)) as arr,
        cast(contracted_arr as decimal(38, 10)) as contracted_arr,
        cast(mrr_90d_ago as decimal(38, 10)) as mrr_90d_ago,
        cast(due_arr_12m as decimal(38, 10)) as due_arr_12m,
        next_renewal_date,
        {{ elapsed_days('as_of_date', 'next_renewal_date') }} as days_to_renewal,
        last_outcome,
        cast(overdue_amount as decimal(38, 10)) as overdue_amount,
        cast(overdue_days as bigint) as overdue_days,
        cast(seats_bought as decimal(38, 10)) as seats_bought
    from joined
)

select * from money_at_dates
