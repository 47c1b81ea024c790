with

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

present as (
    select * from {{ ref('int_customers_present_at_dates') }}
),

last_ends as (
    select * from {{ ref('int_customers_lapsed_at_dates') }}
),

lines_at_dates as (
    select * from {{ ref('int_contract_lines_at_dates') }}
    where known_until in (select signal_dates.known_until from signal_dates)
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

terms_at_dates as (
    select * from {{ ref('int_terms_due') }}
    where night_end < {{ as_of_end() }}
),

succeeded as (
    select * from {{ ref('int_terms_succeeded') }}
),

overdue as (
    select * from {{ ref('int_orders_overdue') }}
),

connected as (
    select * from {{ ref('int_entities_connected') }}
    where entity = 'payments'
),

-- Tonight's judgement of a renewal, and what was judged at past dates while it was open.
retained as (
    select
        line_id,
        due_date,
        outcome_date as closed_on,
        {{ as_of_end() }} as known_until
    from renewals
    where successor_start is not null
    union all
    select
        terms_at_dates.line_id,
        terms_at_dates.due_date,
        succeeded.next_closed_on as closed_on,
        terms_at_dates.night_end as known_until
    from terms_at_dates
    inner join succeeded
        on
            terms_at_dates.judged_by = succeeded.judged_by
            and terms_at_dates.term_id = succeeded.term_id
),

dues as (
    select
        lines_at_dates.*,
        coalesce(retained.closed_on <= lines_at_dates.value_date, false) as is_renewed
    from lines_at_dates
    left join retained
        on
            lines_at_dates.line_id = retained.line_id
            and lines_at_dates.open_due_date = retained.due_date
            and lines_at_dates.known_until = retained.known_until
    where lines_at_dates.has_begun
),

dues_compared as (
    select
        *,
        case when not is_renewed then open_due_date end as next_due_date,
        min(case when not is_renewed then open_due_date end)
            over (partition by customer_id, value_date, known_until) as first_due_date
    from dues
),

summed as (
    select
        customer_id,
        value_date,
        known_until,
        sum(case when is_paid then mrr end) as mrr,
        max(case when is_paid and contract_mrr is not null and mrr is null then 1 else 0 end)
            as is_rate_missing,
        sum(
            case
                when
                    is_paid
                    and not is_in_gap
                    and due_date <= {{ add_months(var('due_horizon_months'), 'value_date') }}
                    then 12 * mrr
            end
        ) as due_arr,
        min(next_due_date) as next_renewal_date,
        -- Terms that end on one day are one renewal; the longest of them says how long it was for.
        max(case when next_due_date = first_due_date then term_months end)
            as next_renewal_term_months,
        sum(case when is_paid and unit = '{{ var("seat_unit") }}' then quantity end)
            as seats_bought,
        max(case when is_paid then 1 else 0 end) as is_paying,
        max(case when is_paid and period_no > 1 then 1 else 0 end) as has_gone_on,
        max(case when is_trial then 1 else 0 end) as is_in_trial
    from dues_compared
    group by customer_id, value_date, known_until
),

signed as (
    select
        customer_id,
        value_date,
        known_until,
        case when count(mrr) > 0 or count(contract_mrr) = 0 then coalesce(sum(12 * mrr), 0) end
            as contracted_arr,
        min(due_date) as next_renewal_date,
        min_by(term_months, (due_date, -term_months)) as next_renewal_term_months
    from lines_at_dates
    where is_paid and not has_begun
    group by customer_id, value_date, known_until
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

-- Who has renewed is told of tonight only: no past date asks for it, and a renewal heard of after
-- its grace was settled at none of them.
first_renewed as (
    select
        customer_id,
        min(successor_start) as renewed_on
    from renewals
    where successor_start is not null
    group by customer_id
),

-- The outcome of the renewal that matured last; terms that mature on one day count by ARR. One that
-- nobody knew by then was no outcome to anybody.
matured as (
    select
        customer_id,
        matures_on,
        max_by(outcome, (coalesce(due_arr, 0), term_id)) as outcome
    from renewals
    where is_mature and not is_known_late
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
        case
            when count(overdue.overdue_amount * rates_at_dates.rate) = count(*)
                then sum(overdue.overdue_amount * rates_at_dates.rate)
        end as overdue_amount,
        max({{ elapsed_days('overdue.due_on', 'signal_dates.as_of_date') }}) as overdue_days
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
                    when present.known_until < {{ as_of_end() }} then null
                    when
                        summed.has_gone_on = 1
                        or first_renewed.renewed_on <= present.as_of_date
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
            when summed.is_paying = 1 then case when summed.is_rate_missing = 0 then 0 end
            when last_ends.contract_mrr is not null then 0
        end as mrr,
        case when signed.customer_id is null then 0 else signed.contracted_arr end
            as contracted_arr,
        case
            when greatest(summed.is_rate_missing, summed_before.is_rate_missing) = 1 then null
            when {{ add_days(-90, 'present.as_of_date') }} >= present.first_paid_date
                then coalesce(summed_before.mrr, 0)
        end as mrr_90d_ago,
        case
            when summed.due_arr is not null then summed.due_arr
            when summed.is_paying = 1 and summed.is_rate_missing = 0 then 0
        end as due_arr_12m,
        coalesce(summed.next_renewal_date, signed.next_renewal_date) as next_renewal_date,
        case
            when summed.next_renewal_date is not null then summed.next_renewal_term_months
            else signed.next_renewal_term_months
        end as next_renewal_term_months,
        summed.seats_bought,
        matured_ordered.outcome as last_outcome,
        case
            when connected.connected_from <= present.known_until
                then case
                    when overdue_at_dates.customer_id is null then 0
                    else overdue_at_dates.overdue_amount
                end
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
            and present.as_of_date = signed.value_date
            and present.known_until = signed.known_until
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
        cast(floor(next_renewal_term_months) as bigint) as next_renewal_term_months,
        last_outcome,
        cast(overdue_amount as decimal(38, 10)) as overdue_amount,
        cast(overdue_days as bigint) as overdue_days,
        cast(seats_bought as decimal(38, 10)) as seats_bought
    from joined
)

select * from money_at_dates
