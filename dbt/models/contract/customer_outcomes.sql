with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where is_paid and contract_mrr > 0
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

continued as (
    select * from {{ ref('int_contract_lines_continued') }}
),

rates as (
    select * from {{ ref('stg_finance__exchange_rates') }}
),

renewals as (
    select * from {{ ref('renewals') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

-- Days on which a line ends, by any of its versions, and since when that is known.
ends as (
    select
        lines.customer_id,
        ended.ends_on,
        lines.grace_days,
        greatest(lines.known_from, ended.known_from) as known_from
    from lines
    inner join ended
        on
            lines.line_id = ended.line_id
            and {{ is_known_together('lines', 'ended') }}
    where ended.ends_on > lines.term_start
    union all
    select
        customer_id,
        term_end as ends_on,
        grace_days,
        known_from
    from lines
    where term_end is not null and not is_auto_renew
    union all
    -- Whose MRR goes on through a gap falls, if it does, where the successor starts.
    select
        lines.customer_id,
        continued.continued_until as ends_on,
        lines.grace_days,
        greatest(lines.known_from, continued.known_from) as known_from
    from lines
    inner join continued
        on
            lines.line_id = continued.line_id
            and {{ is_known_together('lines', 'continued') }}
    where
        {{ company_date('continued.known_from') }}
        <= {{ add_days('lines.grace_days', 'continued.ends_on') }}
),

-- An end is judged once, when the grace has passed and it is known, by what is known then: what is
-- learnt later changes no loss that was certain.
ends_judged as (
    select distinct
        ends.customer_id,
        ends.ends_on,
        {{ add_days('ends.grace_days', 'ends.ends_on') }} as grace_end,
        greatest(
            {{ add_days('ends.grace_days', 'ends.ends_on') }}, {{ company_date('ends.known_from') }}
        ) as known_on
    from ends
    cross join night
    where ends.ends_on <= night.as_of_date
),

judgements as (
    select
        *,
        least({{ day_end('known_on') }}, {{ as_of_end() }}) as judged_at,
        {{ add_days(-var('loss_horizon_days'), 'ends_on') }} as horizon_start,
        row_number() over (order by customer_id, ends_on, grace_end, known_on) as judgement_no
    from ends_judged
),

lines_known as (
    select
        judgements.judgement_no,
        judgements.judged_at,
        judgements.ends_on as fall_date,
        lines.line_id,
        lines.currency,
        lines.contract_mrr,
        lines.grace_days,
        lines.term_start,
        case when not lines.is_auto_renew then lines.term_end end as term_end
    from judgements
    inner join lines
        on
            judgements.customer_id = lines.customer_id
            and {{ is_known_at('lines', 'judgements.judged_at') }}
            and lines.term_start <= judgements.grace_end
            and (
                lines.is_auto_renew
                or lines.term_end is null
                or lines.term_end >= {{ add_days(-var('gap_days'), 'judgements.horizon_start') }}
            )
),

lines_ended as (
    select
        lines_known.*,
        least(lines_known.term_end, first_ends.ends_on) as line_end
    from lines_known
    left join first_ends
        on
            lines_known.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'lines_known.judged_at') }}
),

lines_continued as (
    select
        lines_ended.judgement_no,
        lines_ended.line_id,
        min(continued.continued_until) as continued_until
    from lines_ended
    inner join continued
        on
            lines_ended.line_id = continued.line_id
            and lines_ended.line_end = continued.ends_on
            and {{ is_known_at('continued', 'lines_ended.judged_at') }}
    group by lines_ended.judgement_no, lines_ended.line_id
),

-- One rate for a currency and judgement: a loss is no matter of rates.
rates_known as (
    select
        lines_ended.judgement_no,
        lines_ended.currency,
        max_by(rates.rate, rates.rate_date) as rate
    from (
        select distinct
            judgement_no,
            judged_at,
            fall_date,
            currency
        from lines_ended
        where currency != '{{ var("company_currency") }}'
    ) as lines_ended
    inner join rates
        on
            lines_ended.currency = rates.currency
            and lines_ended.fall_date >= rates.rate_date
            and {{ is_known_at('rates', 'lines_ended.judged_at') }}
    group by lines_ended.judgement_no, lines_ended.currency
),

spans as (
    select
        lines_ended.judgement_no,
        lines_ended.fall_date,
        lines_ended.term_start as starts_on,
        coalesce(lines_continued.continued_until, lines_ended.line_end, {{ far_future() }})
            as ends_on,
        lines_ended.grace_days,
        cast(
            lines_ended.contract_mrr
            * case
                when lines_ended.currency = '{{ var("company_currency") }}' then 1
                else rates_known.rate
            end as decimal(38, 10)
        ) as mrr
    from lines_ended
    left join lines_continued
        on
            lines_ended.judgement_no = lines_continued.judgement_no
            and lines_ended.line_id = lines_continued.line_id
    left join rates_known
        on
            lines_ended.judgement_no = rates_known.judgement_no
            and lines_ended.currency = rates_known.currency
    where lines_ended.line_end is null or lines_ended.line_end > lines_ended.term_start
),

falls as (
    select
        judgements.judgement_no,
        judgements.customer_id,
        judgements.ends_on as fall_date,
        judgements.grace_end,
        judgements.known_on,
        judgements.horizon_start,
        max(case when spans.ends_on = judgements.ends_on then spans.grace_days end) as grace_days,
        coalesce(sum(
            case
                when spans.starts_on < judgements.ends_on and spans.ends_on >= judgements.ends_on
                    then spans.mrr
            end
        ), 0) as mrr_before,
        coalesce(sum(
            case
                when spans.starts_on <= judgements.ends_on and spans.ends_on > judgements.ends_on
                    then spans.mrr
            end
        ), 0) as mrr_then,
        coalesce(sum(
            case
                when
                    spans.starts_on <= judgements.grace_end
                    and spans.ends_on > judgements.grace_end
                    then spans.mrr
            end
        ), 0) as mrr_at_grace_end,
        max(
            case
                when
                    spans.mrr is null
                    and spans.starts_on <= judgements.grace_end
                    and spans.ends_on > judgements.ends_on
                    then 1
                else 0
            end
        ) as is_rate_missing
    from judgements
    inner join spans on judgements.judgement_no = spans.judgement_no
    group by
        judgements.judgement_no,
        judgements.customer_id,
        judgements.ends_on,
        judgements.grace_end,
        judgements.known_on,
        judgements.horizon_start
),

-- What is back by the end of the longest grace of that day is not lost, nor what goes on for an
-- unknown amount.
falls_kept as (
    select
        *,
        greatest(mrr_then, mrr_at_grace_end) as mrr_kept
    from falls
    where
        mrr_then < mrr_before
        and greatest(mrr_then, mrr_at_grace_end) < mrr_before
        and grace_end >= {{ add_days('grace_days', 'fall_date') }}
        and is_rate_missing = 0
),

mrr_changes as (
    select
        falls_kept.judgement_no,
        greatest(spans.starts_on, falls_kept.horizon_start) as change_date,
        spans.mrr as mrr_change
    from falls_kept
    inner join spans on falls_kept.judgement_no = spans.judgement_no
    where spans.starts_on < falls_kept.fall_date and spans.ends_on > falls_kept.horizon_start
    union all
    select
        falls_kept.judgement_no,
        spans.ends_on as change_date,
        -spans.mrr as mrr_change
    from falls_kept
    inner join spans on falls_kept.judgement_no = spans.judgement_no
    where spans.ends_on < falls_kept.fall_date and spans.ends_on > falls_kept.horizon_start
),

levels as (
    select
        judgement_no,
        sum(sum(mrr_change)) over (
            partition by judgement_no
            order by change_date
            rows between unbounded preceding and current row
        ) as mrr
    from mrr_changes
    group by judgement_no, change_date
),

highest_levels as (
    select
        judgement_no,
        max(mrr) as highest_mrr
    from levels
    group by judgement_no
),

-- A slow loss counts as a whole: the MRR before is the highest within the longest horizon. The
-- first judgement that saw a loss stays.
falls_lost as (
    select
        falls_kept.*,
        row_number() over (
            partition by falls_kept.customer_id, falls_kept.fall_date
            order by falls_kept.known_on, falls_kept.grace_end
        ) as loss_no
    from falls_kept
    inner join highest_levels on falls_kept.judgement_no = highest_levels.judgement_no
    where
        round(falls_kept.mrr_kept, 6)
        <= round({{ var('loss_ratio') }} * highest_levels.highest_mrr, 6)
),

losses as (
    select
        falls_lost.customer_id,
        'mrr_loss' as kind,
        falls_lost.fall_date as outcome_date,
        '' as term_id,
        case when falls_lost.mrr_kept = 0 then 'churned' else 'contracted' end as outcome,
        cast(12 * (falls_lost.mrr_before - falls_lost.mrr_kept) as decimal(38, 10)) as arr,
        falls_lost.known_on,
        falls_lost.known_on > night.as_of_date as is_provisional,
        cast(falls_lost.mrr_before as decimal(38, 10)) as mrr_before,
        cast(falls_lost.mrr_kept as decimal(38, 10)) as mrr_kept,
        cast(null as double) as term_months
    from falls_lost
    cross join night
    where falls_lost.loss_no = 1
),

-- A term that nobody knew when it matured is judged by what is known tonight.
renewal_outcomes as (
    select
        renewals.customer_id,
        'renewal' as kind,
        renewals.due_date as outcome_date,
        renewals.term_id,
        renewals.outcome,
        cast(renewals.due_arr as decimal(38, 10)) as arr,
        case
            when renewals.is_known_late then night.as_of_date
            else renewals.matures_on
        end as known_on,
        not renewals.is_mature as is_provisional,
        cast(null as decimal(38, 10)) as mrr_before,
        cast(null as decimal(38, 10)) as mrr_kept,
        cast(renewals.term_months as double) as term_months
    from renewals
    cross join night
    where renewals.outcome not in ('lifetime', 'not_due') and renewals.due_date is not null
),

outcomes as (
    select * from losses
    union all
    select * from renewal_outcomes
)

select * from outcomes
