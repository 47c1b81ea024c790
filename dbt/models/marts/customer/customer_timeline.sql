{%- set entries = [
    ('leads', 'lead_created', 'stg_crm__leads', 'created_at',
     {'customer': 'converted_customer_id', 'key': 'lead_id', 'actor': 'owner_id', 'channel': 'source', 'summary': 'status'}),
    ('opportunities', 'opportunity_opened', 'stg_crm__opportunities', 'created_at',
     {'key': 'opportunity_id', 'actor': 'owner_id'}),
    ('opportunities', 'opportunity_closed', 'stg_crm__opportunities', 'closed_at',
     {'key': 'opportunity_id', 'actor': 'owner_id', 'summary': "case when is_won then 'won' else coalesce('lost: ' || lost_reason, 'lost') end"}),
    ('orders', 'ordered', 'int_orders_adjusted', 'ordered_at',
     {'key': 'order_id', 'summary': 'kind'}),
    ('orders', 'order_approved', 'int_orders_adjusted', 'approved_at',
     {'key': 'order_id', 'actor': 'approved_by', 'summary': 'kind'}),
    ('orders', 'order_cancelled', 'int_orders_adjusted', 'cancelled_at', {'key': 'order_id'}),
    ('orders', 'order_refunded', 'int_orders_adjusted', 'refunded_at', {'key': 'order_id'}),
    ('subscriptions', 'subscription_booked', 'int_subscriptions_adjusted', 'booked_at',
     {'key': 'subscription_id', 'summary': 'product_id'}),
    ('services', 'service_started', 'stg_orders__services', 'starts_on',
     {'key': 'service_id', 'channel': 'opened_by', 'summary': 'product_id', 'is_day': true}),
    ('services', 'service_ended', 'stg_orders__services', 'ends_on',
     {'key': 'service_id', 'summary': 'product_id', 'is_day': true}),
    ('wallet_entries', 'wallet_booked', 'stg_orders__wallet_entries', 'occurred_at',
     {'key': 'entry_id', 'summary': written_amount('amount', 'currency')}),
    ('interactions', "coalesce(kind, 'interaction')", 'stg_crm__interactions', 'occurred_at',
     {'key': 'interaction_id', 'actor': 'employee_id', 'mode': 'mode', 'channel': 'channel', 'summary': 'summary'}),
    ('messages', "case when is_from_customer then 'message_received' else 'message_sent' end",
     'stg_crm__messages', 'sent_at',
     {'key': 'message_id', 'actor': 'employee_id', 'channel': 'channel'}),
    ('tickets', 'ticket_opened', 'stg_crm__tickets', 'opened_at',
     {'key': 'ticket_id', 'actor': 'responder_id', 'summary': 'kind'}),
    ('tickets', 'ticket_resolved', 'stg_crm__tickets', 'resolved_at',
     {'key': 'ticket_id', 'actor': 'responder_id', 'summary': 'kind'}),
    ('surveys', 'survey_answered', 'stg_crm__surveys', 'responded_at',
     {'key': 'survey_id', 'summary': "kind || coalesce(format(' {:g}', cast(score as double)), '')"}),
    ('csm_assessments', 'assessed', 'stg_crm__csm_assessments', 'assessed_at',
     {'key': "customer_id || '/' || cast(assessed_at as varchar)", 'actor': 'employee_id', 'summary': "view || coalesce(': ' || note, '')"}),
    ('onboarding_steps', 'onboarding_step_done', 'stg_crm__onboarding_steps',
     'coalesce(done_at, accepted_at)',
     {'key': "customer_id || '/' || cast(round_no as varchar) || '/' || step", 'actor': 'owner_id', 'summary': 'step'}),
    ('feature_requests', 'feature_requested', 'stg_crm__feature_requests', 'requested_at',
     {'key': 'request_id', 'summary': 'feature'}),
    ('feature_requests', 'feature_shipped', 'stg_crm__feature_requests', 'shipped_at',
     {'key': 'request_id', 'summary': 'feature'}),
    ('playbook_runs', 'playbook_started', 'stg_crm__playbook_runs', 'started_at',
     {'key': 'playbook_run_id', 'actor': 'owner_id', 'summary': 'playbook'}),
    ('playbook_runs', 'playbook_done', 'stg_crm__playbook_runs', 'done_at',
     {'key': 'playbook_run_id', 'actor': 'owner_id', 'summary': "playbook || coalesce(': ' || outcome, '')"}),
    ('ownerships', "role || '_changed'", 'stg_crm__ownerships', 'valid_from',
     {'key': "customer_id || '/' || role || '/' || cast(valid_from as varchar)", 'actor': 'employee_id', 'is_day': true}),
    ('churn_reasons', 'churn_reason_noted', 'stg_crm__churn_reasons', 'noted_at',
     {'key': "customer_id || '/' || cast(noted_at as varchar)", 'summary': "reason || coalesce(': ' || note, '')"})
] -%}
with

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

payments as (
    {{ current_rows(ref('stg_orders__payments')) }}
),

orders as (
    {{ current_rows(ref('int_orders_adjusted')) }}
),

usage_transitions as (
    select * from {{ ref('usage_transitions') }}
),

{% for entity, kind, model, moment, columns in entries -%}
entries_{{ loop.index }} as (
    {{ timeline_entries(entity, kind, ref(model), moment, columns) }}
),

{% endfor -%}
payment_entries as (
    select
        orders.customer_id,
        payments.paid_at as occurred_at,
        case when payments.kind = 'refund' then 'refunded' else 'paid' end as kind,
        'payments' as source_entity,
        payments.payment_id as source_key,
        cast(null as varchar) as actor_id,
        cast(null as varchar) as mode,
        cast(null as varchar) as channel,
        {{ written_amount('payments.amount', 'payments.currency') }} as summary
    from payments
    inner join orders on payments.order_id = orders.order_id
),

transition_entries as (
    select
        customer_id,
        {{ day_start('transition_date') }} as occurred_at,
        'usage_' || direction as kind,
        'usage_transitions' as source_entity,
        customer_id || '/' || cast(transition_date as varchar) as source_key,
        cast(null as varchar) as actor_id,
        cast(null as varchar) as mode,
        cast(null as varchar) as channel,
        from_state || ' to ' || to_state as summary
    from usage_transitions
),

entries as (
    {% for _ in entries -%}
    select * from entries_{{ loop.index }}
    union all
    {% endfor -%}
    select * from payment_entries
    union all
    select * from transition_entries
),

customer_timeline as (
    select
        entries.source_entity || '/' || entries.source_key || '/' || entries.kind as entry_id,
        customers_resolved.resolved_customer_id as customer_id,
        entries.occurred_at,
        entries.kind,
        entries.source_entity,
        entries.source_key,
        entries.actor_id,
        entries.mode,
        entries.channel,
        entries.summary
    from entries
    inner join customers_resolved on entries.customer_id = customers_resolved.customer_id
    inner join night on entries.occurred_at <= night.as_of_end
)

select * from customer_timeline
