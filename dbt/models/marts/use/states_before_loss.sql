with

-- On the day a customer starts to pay the state may still be that of the day before.
usage_states as (
    select
        customer_id,
        state_date,
        case when state in ('not_customer', 'trial') then raw_state else state end as state
    from {{ ref('usage_states_daily') }}
    where {{ is_paying('status') }}
),

losses as (
    select * from {{ ref('customer_outcomes') }}
    where kind = 'mrr_loss' and not is_provisional
),

weeks as (
    {{ numbers_up_to(var('before_loss_weeks')) }}
),

before_losses as (
    select
        weeks.number as weeks_before,
        usage_states.state,
        count(*) as loss_count
    from losses
    cross join weeks
    inner join usage_states
        on
            losses.customer_id = usage_states.customer_id
            and usage_states.state_date
            = {{ plus_days('losses.outcome_date', 'cast(-7 * weeks.number as integer)') }}
    group by weeks.number, usage_states.state
),

-- What is usual: the states of all paying customers on the week ends that far back.
week_ends as (
    select
        state,
        state_date,
        count(*) as customer_count
    from usage_states
    where {{ is_week_end('state_date') }}
    group by state, state_date
),

usual as (
    select
        weeks.number as weeks_before,
        week_ends.state,
        sum(week_ends.customer_count) as customer_week_count
    from weeks
    cross join week_ends
    where
        week_ends.state_date
        <= {{ plus_days(as_of_date(), 'cast(-7 * weeks.number as integer)') }}
    group by weeks.number, week_ends.state
),

shares as (
    select
        usual.weeks_before,
        usual.state,
        coalesce(before_losses.loss_count, 0) as n,
        sum(coalesce(before_losses.loss_count, 0)) over (partition by usual.weeks_before)
            as loss_count,
        {{ divide(
            'usual.customer_week_count',
            'sum(usual.customer_week_count) over (partition by usual.weeks_before)',
            'double'
        ) }} as usual_share
    from usual
    left join before_losses
        on
            usual.weeks_before = before_losses.weeks_before
            and usual.state = before_losses.state
),

states_before_loss as (
    select
        state,
        weeks_before,
        cast(n as bigint) as n,
        cast(loss_count as bigint) as loss_count,
        {{ divide('n', 'loss_count', 'double') }} as loss_share,
        usual_share,
        {{ divide('n', 'loss_count * usual_share', 'double') }} as lift
    from shares
)

select * from states_before_loss
