with

terms as (
    select * from {{ ref('subscription_terms') }}
    where term_start <= {{ as_of_date() }}
),

purchases as (
    select * from {{ ref('int_customers_purchases_dated') }}
    where is_known_tonight and purchased_on <= {{ as_of_date() }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

first_trials as (
    select
        customer_id,
        min(term_start) as trial_start
    from terms
    where is_trial
    group by customer_id
),

paid as (
    select
        customer_id,
        term_start as paid_date
    from terms
    where is_paid
    union all
    select
        customer_id,
        purchased_on as paid_date
    from purchases
),

first_paid as (
    select
        customer_id,
        min(paid_date) as paid_date
    from paid
    group by customer_id
),

-- Who paid before the first trial has nothing to convert. A trial that was repeated or extended
-- before the first payment is one with the first.
trials as (
    select
        first_trials.customer_id,
        first_trials.trial_start,
        first_paid.paid_date,
        max(coalesce(terms.effective_end, {{ far_future() }})) as trial_end
    from first_trials
    inner join terms
        on first_trials.customer_id = terms.customer_id and terms.is_trial
    left join first_paid on first_trials.customer_id = first_paid.customer_id
    where
        (first_paid.paid_date is null or first_paid.paid_date >= first_trials.trial_start)
        and (first_paid.paid_date is null or terms.term_start <= first_paid.paid_date)
    group by first_trials.customer_id, first_trials.trial_start, first_paid.paid_date
),

-- Who pays within trial_conversion_days after the trial has been converted by it.
ended as (
    select
        customer_id,
        trial_start,
        case when trial_end < {{ far_future() }} then trial_end end as trial_end,
        case
            when trial_end < {{ far_future() }}
                then {{ add_days(var('trial_conversion_days'), 'trial_end') }}
            else {{ far_future() }}
        end as matures_on,
        paid_date
    from trials
),

trial_conversions as (
    select
        ended.customer_id,
        customers.segment,
        ended.trial_start,
        ended.trial_end,
        ended.paid_date,
        {{ elapsed_days('ended.trial_start', 'ended.paid_date') }} as trial_to_paid_days,
        ended.matures_on <= {{ as_of_date() }} as is_mature,
        case
            when ended.paid_date <= ended.matures_on then true
            when ended.matures_on <= {{ as_of_date() }} then false
        end as is_converted
    from ended
    left join customers on ended.customer_id = customers.customer_id
)

select * from trial_conversions
