{# The entities a company may deliver, as the front door's contracts have them (a test keeps them
   equal): the group they belong to, their key, the column that says when they happened, and which
   column must be found in which other entity. #}
{% macro entities() %}
{%- set customer = [['customer_id', 'customers']] -%}
{{ return([
    {'name': 'customers', 'group': 'crm', 'model': 'stg_crm__customers',
     'key': ['customer_id'], 'happened': 'created_at', 'parents': []},
    {'name': 'customer_ids', 'group': 'crm', 'model': 'stg_crm__customer_ids',
     'key': ['source', 'source_id'], 'happened': none, 'parents': customer},
    {'name': 'contacts', 'group': 'crm', 'model': 'stg_crm__contacts',
     'key': ['contact_id'], 'happened': none, 'parents': customer},
    {'name': 'employees', 'group': 'crm', 'model': 'stg_crm__employees',
     'key': ['employee_id'], 'happened': 'started_on', 'parents': []},
    {'name': 'ownerships', 'group': 'crm', 'model': 'stg_crm__ownerships',
     'key': ['customer_id', 'role', 'valid_from'], 'happened': 'valid_from', 'parents': customer + [['employee_id', 'employees']]},
    {'name': 'interactions', 'group': 'crm', 'model': 'stg_crm__interactions',
     'key': ['interaction_id'], 'happened': 'occurred_at', 'parents': customer},
    {'name': 'messages', 'group': 'crm', 'model': 'stg_crm__messages',
     'key': ['message_id'], 'happened': 'sent_at', 'parents': customer},
    {'name': 'csm_assessments', 'group': 'crm', 'model': 'stg_crm__csm_assessments',
     'key': ['customer_id', 'assessed_at'], 'happened': 'assessed_at', 'parents': customer},
    {'name': 'onboarding_steps', 'group': 'crm', 'model': 'stg_crm__onboarding_steps',
     'key': ['customer_id', 'round_no', 'step'], 'happened': 'started_at', 'parents': customer},
    {'name': 'tickets', 'group': 'crm', 'model': 'stg_crm__tickets',
     'key': ['ticket_id'], 'happened': 'opened_at', 'parents': customer},
    {'name': 'surveys', 'group': 'crm', 'model': 'stg_crm__surveys',
     'key': ['survey_id'], 'happened': 'sent_at', 'parents': customer},
    {'name': 'feature_requests', 'group': 'crm', 'model': 'stg_crm__feature_requests',
     'key': ['request_id'], 'happened': 'requested_at', 'parents': customer},
    {'name': 'playbook_runs', 'group': 'crm', 'model': 'stg_crm__playbook_runs',
     'key': ['playbook_run_id'], 'happened': 'started_at', 'parents': customer},
    {'name': 'churn_reasons', 'group': 'crm', 'model': 'stg_crm__churn_reasons',
     'key': ['customer_id', 'noted_at'], 'happened': 'noted_at', 'parents': customer},
    {'name': 'leads', 'group': 'crm', 'model': 'stg_crm__leads',
     'key': ['lead_id'], 'happened': 'created_at', 'parents': []},
    {'name': 'opportunities', 'group': 'crm', 'model': 'stg_crm__opportunities',
     'key': ['opportunity_id'], 'happened': 'created_at', 'parents': customer},
    {'name': 'quotes', 'group': 'crm', 'model': 'stg_crm__quotes',
     'key': ['quote_id'], 'happened': 'created_at', 'parents': [['opportunity_id', 'opportunities']]},
    {'name': 'products', 'group': 'orders', 'model': 'stg_orders__products',
     'key': ['product_id'], 'happened': none, 'parents': []},
    {'name': 'product_prices', 'group': 'orders', 'model': 'stg_orders__product_prices',
     'key': ['product_id', 'valid_from'], 'happened': 'valid_from', 'parents': [['product_id', 'products']]},
    {'name': 'feature_entitlements', 'group': 'orders', 'model': 'stg_orders__feature_entitlements',
     'key': ['product_id', 'feature', 'valid_from'], 'happened': 'valid_from', 'parents': [['product_id', 'products']]},
    {'name': 'orders', 'group': 'orders', 'model': 'stg_orders__orders',
     'key': ['order_id'], 'happened': 'ordered_at', 'parents': customer},
    {'name': 'order_lines', 'group': 'orders', 'model': 'stg_orders__order_lines',
     'key': ['order_line_id'], 'happened': 'term_start', 'parents': [['order_id', 'orders'], ['product_id', 'products']]},
    {'name': 'subscriptions', 'group': 'orders', 'model': 'stg_orders__subscriptions',
     'key': ['subscription_id'], 'happened': 'term_start', 'parents': customer},
    {'name': 'payments', 'group': 'orders', 'model': 'stg_orders__payments',
     'key': ['payment_id'], 'happened': 'paid_at', 'parents': [['order_id', 'orders']]},
    {'name': 'services', 'group': 'orders', 'model': 'stg_orders__services',
     'key': ['service_id'], 'happened': 'starts_on', 'parents': customer + [['order_line_id', 'order_lines']]},
    {'name': 'service_usage', 'group': 'orders', 'model': 'stg_orders__service_usage',
     'key': ['service_id', 'used_on'], 'happened': 'used_on', 'parents': [['service_id', 'services']]},
    {'name': 'wallet_entries', 'group': 'orders', 'model': 'stg_orders__wallet_entries',
     'key': ['entry_id'], 'happened': 'occurred_at', 'parents': customer},
    {'name': 'tenants', 'group': 'logins', 'model': 'stg_logins__tenants',
     'key': ['tenant_id'], 'happened': none, 'parents': customer},
    {'name': 'product_users', 'group': 'logins', 'model': 'stg_logins__product_users',
     'key': ['user_id'], 'happened': 'created_at', 'parents': []},
    {'name': 'product_events', 'group': 'logins', 'model': 'stg_logins__product_events',
     'key': [], 'happened': 'occurred_at', 'parents': []},
    {'name': 'features', 'group': 'logins', 'model': 'stg_logins__features',
     'key': ['feature'], 'happened': none, 'parents': []},
    {'name': 'costs', 'group': 'finance', 'model': 'stg_finance__costs',
     'key': ['month', 'category'], 'happened': 'month', 'parents': []},
    {'name': 'exchange_rates', 'group': 'finance', 'model': 'stg_finance__exchange_rates',
     'key': ['rate_date', 'currency'], 'happened': 'rate_date', 'parents': []},
    {'name': 'adjustments', 'group': 'finance', 'model': 'stg_finance__adjustments',
     'key': ['adjustment_id'], 'happened': 'dated_on', 'parents': []},
    {'name': 'targets', 'group': 'finance', 'model': 'stg_finance__targets',
     'key': ['month', 'metric', 'segment'], 'happened': 'month', 'parents': []},
    {'name': 'access_log', 'group': 'product', 'model': 'stg_product__access_log',
     'key': ['entry_id'], 'happened': 'occurred_at', 'parents': [['employee_id', 'employees']]}
]) }}
{% endmacro %}

{# When a row of the entity was known, events by their own column. #}
{% macro known_moment(entity) -%}
    {{ 'known_from' if entity.key else 'known_at' }}
{%- endmacro %}

{# The latest moment something of the entity happened, up to the end of the night. #}
{% macro latest_event(entity) -%}
    {%- if not entity.happened -%}
    cast(null as timestamptz)
    {%- elif entity.happened.endswith('_at') -%}
    max(case when {{ entity.happened }} <= {{ as_of_end() }} then {{ entity.happened }} end)
    {%- else -%}
    {{ day_start(
        'max(case when ' ~ entity.happened ~ ' <= ' ~ as_of_date()
        ~ ' then ' ~ entity.happened ~ ' end)'
    ) }}
    {%- endif -%}
{%- endmacro %}
