with

terms as (
    select * from {{ ref('int_terms_due') }}
    where judged_by = 'in_time'
),

succeeded as (
    select * from {{ ref('int_terms_succeeded') }}
    where judged_by = 'in_time'
),

linked as (
    select * from {{ ref('int_contract_lines_linked') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

churn_reasons as (
    select * from {{ ref('stg_crm__churn_reasons') }}
),

ownerships as (
    select * from {{ ref('stg_crm__ownerships') }}
),

employees as (
    select * from {{ ref('stg_crm__employees') }}
),

talks_held as (
    select * from {{ ref('int_contacts_made') }}
    where kind = 'renewal_talk'
),

versions_replaced as (
    select
        linked.next_order_id,
        replaced_lines.order_id,
        greatest(linked.known_from, replaced_lines.known_from) as known_from,
        least(linked.known_to, linked.preceded_from, replaced_lines.known_to) as known_to
    from linked
    inner join lines as replaced_lines
        on
            linked.line_id = replaced_lines.line_id
            and linked.next_term_start > replaced_lines.term_start
            and {{ is_known_together('linked', 'replaced_lines') }}
    where replaced_lines.product_kind = 'version'
),

-- An add-on taken into an order that goes on from versions of other orders only joins their
-- contract.
addons_joining as (
    select terms.term_id
    from terms
    inner join succeeded on terms.term_id = succeeded.term_id
    inner join versions_replaced
        on
            succeeded.next_order_id = versions_replaced.next_order_id
            and {{ is_known_at('versions_replaced', 'terms.judged_at') }}
    where coalesce(terms.product_kind, 'version') != 'version'
    group by terms.term_id
    having max(case when versions_replaced.order_id = terms.order_id then 1 else 0 end) = 0
),

judged as (
    select
        terms.*,
        succeeded.next_line_id,
        succeeded.next_term_start,
        succeeded.next_closed_on,
        case when not succeeded.is_next_rate_missing then succeeded.renewed_arr end as renewed_arr,
        coalesce(
            succeeded.matched_by = 'link'
            and (
                coalesce(succeeded.next_previous_order_id != terms.order_id, false)
                or (
                    succeeded.next_previous_order_id is null
                    and addons_joining.term_id is not null
                )
            ),
            false
        ) as joins_other_contract,
        coalesce(terms.matures_on <= {{ as_of_date() }}, false) as is_mature,
        coalesce(terms.non_renewal_noted_at <= terms.judged_at, false)
        or coalesce(terms.end_reason in ('cancelled', 'refunded', 'vanished', 'refused'), false)
            as is_refused
    from terms
    left join succeeded on terms.term_id = succeeded.term_id
    left join addons_joining on terms.term_id = addons_joining.term_id
),

decided as (
    select
        *,
        least(due_date, {{ as_of_date() }}) as owned_on,
        case
            when is_lifetime then 'lifetime'
            when due_date > {{ add_months(var('due_horizon_months'), as_of_date()) }} then 'not_due'
            when joins_other_contract then 'coterminated'
            when goes_on and due_date <= {{ as_of_date() }} then 'auto_renewed'
            when next_closed_on < due_date then 'renewed_early'
            when next_closed_on <= {{ add_days(var('on_time_days'), 'due_date') }}
                then 'renewed_on_time'
            when next_line_id is not null then 'renewed_late'
            when (is_mature or is_refused) and not goes_on then 'churned'
            else 'open'
        end as outcome
    from judged
),

reasons as (
    select
        decided.term_id,
        max_by(churn_reasons.reason, (churn_reasons.noted_at, churn_reasons.reason)) as reason
    from decided
    inner join customers_resolved
        on decided.customer_id = customers_resolved.resolved_customer_id
    inner join churn_reasons
        on
            customers_resolved.customer_id = churn_reasons.customer_id
            and churn_reasons.noted_at <= decided.judged_at
            and {{ company_date('churn_reasons.noted_at') }} >= decided.period_start
            and {{ is_known_at('churn_reasons', 'decided.judged_at') }}
    group by decided.term_id
),

-- Distinct, so that the planner compares dates within a customer only, never all with all.
csms as (
    select distinct
        customers_resolved.resolved_customer_id as customer_id,
        ownerships.employee_id,
        ownerships.valid_from,
        ownerships.valid_to,
        ownerships.vanished_at,
        ownerships.known_from,
        ownerships.known_to
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    where ownerships.role = '{{ var("csm_role") }}'
),

owners as (
    select
        decided.term_id,
        {{ latest_owner('csms', 'decided.owned_on') }} as renewal_owner_id
    from decided
    inner join csms
        on
            decided.customer_id = csms.customer_id
            and csms.valid_from <= decided.owned_on
            and (csms.valid_to is null or csms.valid_to > decided.owned_on)
            and {{ is_known_at('csms', 'decided.judged_at') }}
            and {{ is_there_at('csms', day_end('decided.owned_on')) }}
    left join employees
        on
            csms.employee_id = employees.employee_id
            and {{ is_described_at('employees', 'decided.judged_at') }}
    group by decided.term_id
),

talks as (
    select
        decided.term_id,
        min(talks_held.contact_date) as talk_started_date
    from decided
    inner join talks_held
        on
            decided.customer_id = talks_held.customer_id
            and talks_held.contacted_at <= decided.judged_at
            and talks_held.contact_date >= decided.period_start
            and {{ is_known_at('talks_held', 'decided.judged_at') }}
    group by decided.term_id
),

renewals as (
    select
        decided.term_id,
        decided.line_id,
        decided.period_no,
        decided.customer_id,
        decided.product_id,
        decided.product_kind,
        decided.currency,
        customers_described.segment,
        decided.due_date,
        decided.due_arr,
        decided.term_months,
        case
            when decided.term_months < {{ var('short_term_months') }} then 'under_three_months'
            else 'longer'
        end as term_class,
        decided.outcome,
        case
            when decided.outcome = 'churned'
                then case
                    when customers_described.closure_known_from <= decided.judged_at
                        then 'customer_closed'
                    else reasons.reason
                end
        end as loss_reason,
        case
            when decided.outcome = 'auto_renewed' then decided.due_date
            when decided.outcome = 'churned' then decided.effective_end
            when decided.outcome not in ('lifetime', 'not_due', 'open') then decided.next_closed_on
        end as outcome_date,
        case
            when decided.outcome = 'auto_renewed'
                then decided.line_id || '#' || (decided.period_no + 1)
            when decided.outcome not in ('lifetime', 'not_due', 'open', 'churned')
                then decided.next_line_id || '#1'
        end as successor_term_id,
        case
            when decided.outcome = 'auto_renewed' then decided.due_date
            when decided.outcome not in ('lifetime', 'not_due', 'open', 'churned')
                then decided.next_term_start
        end as successor_start,
        cast(case
            when decided.outcome = 'auto_renewed' then decided.due_arr
            when decided.outcome = 'churned' then 0
            when decided.due_arr is null or decided.renewed_arr is null then null
            when decided.outcome = 'coterminated' then least(decided.renewed_arr, decided.due_arr)
            when decided.outcome not in ('lifetime', 'not_due', 'open') then decided.renewed_arr
        end as decimal(38, 10)) as renewed_arr,
        case
            when decided.outcome = 'auto_renewed' then cast(0 as bigint)
            when decided.outcome not in ('lifetime', 'not_due', 'open', 'churned')
                then {{ elapsed_days('decided.due_date', 'decided.next_closed_on') }}
        end as days_from_due,
        owners.renewal_owner_id,
        talks.talk_started_date,
        {{ elapsed_days('talks.talk_started_date', 'decided.due_date') }} as talk_lead_days,
        decided.grace_days,
        decided.period_start as term_start,
        decided.effective_end,
        decided.matures_on,
        decided.is_mature,
        decided.had_discount,
        decided.is_known_late
    from decided
    left join customers_described
        on
            decided.customer_id = customers_described.customer_id
            and {{ is_described_at('customers_described', 'decided.judged_at') }}
    left join reasons on decided.term_id = reasons.term_id
    left join owners on decided.term_id = owners.term_id
    left join talks on decided.term_id = talks.term_id
)

select * from renewals
