{%- set severities = {
    'service_without_order': 'high',
    'service_without_payment': 'high',
    'service_on_cancelled_order': 'high',
    'service_changed_without_order': 'high',
    'service_after_expiry': 'high',
    'approver_not_finance': 'high',
    'departed_employee_acting': 'high',
    'action_beyond_role': 'high',
    'service_opened_by_hand': 'medium',
    'service_other_than_bought': 'medium',
    'customer_use_after_expiry': 'medium',
    'trial_repeated': 'medium',
    'trial_with_price_or_without_end': 'medium',
    'closed_product_sold': 'medium',
    'price_edited_in_place': 'medium',
    'customer_without_csm': 'medium',
    'owner_left': 'medium',
    'adjustment_without_effect': 'medium',
    'customer_with_two_csms': 'low',
    'price_other_than_listed': 'low',
    'credit_over_a_term': 'low',
    'approval_late': 'low',
    'overlap_unexplained': 'low',
    'adjustment_applied': 'info',
} -%}
with

lines as (
    select * from {{ ref('int_lines_audited') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

exceptions as (
    select * from {{ ref('int_adjustments_judged') }}
    where entity = 'rule_audit'
),

found as (
    {% for rule, severity in severities.items() -%}
    select
        '{{ rule }}' as rule,
        '{{ severity }}' as severity,
        customer_id,
        line_id,
        entity,
        entity_key,
        happened_on,
        detail
    from {{ ref(rule) }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- An exception names the rule in `column` and the row in `entity_key`, or all rows by *.
accepted as (
    select
        found.rule,
        found.entity,
        found.entity_key,
        max_by(
            'Accepted by ' || exceptions.author || ' on ' || cast(exceptions.dated_on as varchar)
            || ': ' || exceptions.reason,
            (exceptions.dated_on, exceptions.adjustment_id)
        ) as said
    from found
    inner join exceptions
        on
            found.rule = exceptions.column_name
            and exceptions.entity_key in (found.entity_key, '*')
    group by found.rule, found.entity, found.entity_key
),

exceptions_without_finding as (
    select
        'adjustment_without_effect' as rule,
        '{{ severities["adjustment_without_effect"] }}' as severity,
        cast(null as varchar) as customer_id,
        cast(null as varchar) as line_id,
        'adjustments' as entity,
        adjustment_id as entity_key,
        dated_on as happened_on,
        author || ' accepted ' || column_name || ' of ' || entity_key
        || ': there is no such finding (any more).' as detail
    from exceptions
    where
        not exists (
            select 1 from found
            where
                found.rule = exceptions.column_name
                and exceptions.entity_key in (found.entity_key, '*')
        )
),

findings as (
    select * from found
    union all
    select * from exceptions_without_finding
),

customers_summed as (
    select
        customer_id,
        sum(arr) as arr
    from lines
    group by customer_id
),

rule_audit as (
    select
        md5(findings.rule || '|' || findings.entity || '|' || findings.entity_key) as finding_id,
        findings.rule,
        case when accepted.rule is null then findings.severity else 'accepted' end as severity,
        coalesce(customers_resolved.resolved_customer_id, findings.customer_id) as customer_id,
        findings.entity,
        findings.entity_key,
        findings.happened_on,
        cast(case
            when findings.line_id is not null then lines.arr
            when findings.customer_id is null then null
            when customers_summed.customer_id is null then 0
            else customers_summed.arr
        end as decimal(38, 10)) as arr_at_stake,
        trim(findings.detail) || coalesce(' ' || accepted.said, '') as detail
    from findings
    left join accepted
        on
            findings.rule = accepted.rule
            and findings.entity = accepted.entity
            and findings.entity_key = accepted.entity_key
    left join customers_resolved on findings.customer_id = customers_resolved.customer_id
    left join lines on findings.line_id = lines.line_id
    left join customers_summed
        on
            coalesce(customers_resolved.resolved_customer_id, findings.customer_id)
            = customers_summed.customer_id
)

select * from rule_audit
