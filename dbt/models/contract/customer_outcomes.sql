with

subscription_terms as (
    select * from {{ ref('subscription_terms') }}
    where is_paid and not is_trial
),

renewals as (
    select * from {{ ref('renewals') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

spans as (
    select
        customer_id,
        mrr,
        grace_days,
        term_start as starts_on,
        coalesce(continued_until, effective_end) as ends_on
    from subscription_terms
    where mrr > 0
),

mrr_changes as (
    select
        customer_id,
        starts_on as change_date,
        mrr as mrr_change,
        0 as grace_days
    from spans
    union all
    select
        customer_id,
        ends_on as change_date,
        -mrr as mrr_change,
        grace_days
    from spans
    where ends_on is not null
),

days_changed as (
    select
        customer_id,
        change_date,
        sum(mrr_change) as mrr_change,
        max(grace_days) as grace_days
    from mrr_changes
    group by customer_id, change_date
),

levels as (
    select
        customer_id,
        change_date,
        mrr_change,
        grace_days,
        sum(mrr_change) over (
            partition by customer_id
            order by change_date
            rows between unbounded preceding and current row
        ) as mrr,
        lead(change_date) over (partition by customer_id order by change_date) as next_change_date
    from days_changed
),

falls as (
    select
        levels.customer_id,
        levels.change_date,
        levels.mrr,
        levels.mrr - levels.mrr_change as mrr_before,
        {{ add_days('levels.grace_days', 'levels.change_date') }} as grace_end
    from levels
    cross join night
    where levels.mrr_change < 0 and levels.change_date <= night.as_of_date
),

-- What is back by the end of the grace is not lost.
falls_kept as (
    select
        falls.customer_id,
        falls.change_date,
        falls.mrr_before,
        falls.grace_end,
        greatest(falls.mrr, at_grace_end.mrr) as mrr_kept
    from falls
    inner join levels as at_grace_end
        on
            falls.customer_id = at_grace_end.customer_id
            and at_grace_end.change_date <= falls.grace_end
            and (
                at_grace_end.next_change_date is null
                or at_grace_end.next_change_date > falls.grace_end
            )
),

-- A slow loss counts as a whole: the MRR before is the highest within the longest horizon.
falls_compared as (
    select
        falls_kept.customer_id,
        falls_kept.change_date,
        falls_kept.mrr_before,
        falls_kept.mrr_kept,
        falls_kept.grace_end,
        max(levels.mrr) as highest_mrr
    from falls_kept
    inner join levels
        on
            falls_kept.customer_id = levels.customer_id
            and levels.change_date < falls_kept.change_date
            and levels.next_change_date
            > {{ add_days(-var('loss_horizon_days'), 'falls_kept.change_date') }}
    group by
        falls_kept.customer_id,
        falls_kept.change_date,
        falls_kept.mrr_before,
        falls_kept.mrr_kept,
        falls_kept.grace_end
),

losses as (
    select
        falls_compared.customer_id,
        'mrr_loss' as kind,
        falls_compared.change_date as outcome_date,
        '' as term_id,
        case when falls_compared.mrr_kept = 0 then 'churned' else 'contracted' end as outcome,
        cast(12 * (falls_compared.mrr_before - falls_compared.mrr_kept) as decimal(38, 10)) as arr,
        falls_compared.grace_end as known_on,
        falls_compared.grace_end > night.as_of_date as is_provisional,
        cast(falls_compared.mrr_before as decimal(38, 10)) as mrr_before,
        cast(falls_compared.mrr_kept as decimal(38, 10)) as mrr_kept,
        cast(null as double) as term_months
    from falls_compared
    cross join night
    where
        falls_compared.mrr_kept <= {{ var('loss_ratio') }} * falls_compared.highest_mrr
        and falls_compared.mrr_kept < falls_compared.mrr_before
),

renewal_outcomes as (
    select
        renewals.customer_id,
        'renewal' as kind,
        renewals.due_date as outcome_date,
        renewals.term_id,
        renewals.outcome,
        cast(renewals.due_arr as decimal(38, 10)) as arr,
        {{ add_days('subscription_terms.grace_days', 'renewals.due_date') }} as known_on,
        not renewals.is_mature as is_provisional,
        cast(null as decimal(38, 10)) as mrr_before,
        cast(null as decimal(38, 10)) as mrr_kept,
        cast(renewals.term_months as double) as term_months
    from renewals
    left join subscription_terms on renewals.term_id = subscription_terms.term_id
    where renewals.outcome not in ('lifetime', 'not_due') and renewals.due_date is not null
),

outcomes as (
    select * from losses
    union all
    select * from renewal_outcomes
)

select * from outcomes
