with

terms as (
    select * from {{ ref('subscription_terms') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

entitlements as (
    select * from {{ ref('stg_orders__feature_entitlements') }}
),

core_features as (
    select * from {{ ref('int_core_features') }}
),

customers as (
    select distinct resolved_customer_id as customer_id from {{ ref('int_customers_resolved') }}
),

measures as (
    select * from {{ ref('int_use_measures') }}
),

-- What is known of a line and its end changes at these moments.
moments as (
    {% for versions, moment in [
        ('lines', 'known_from'),
        ('lines', 'known_to'),
        ('first_ends', 'known_from'),
        ('first_ends', 'known_to'),
    ] -%}
    select
        line_id,
        {{ moment }} as moment
    from {{ versions }}
    where {{ moment }} is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
),

knowledge as (
    select
        line_id,
        moment as known_from,
        lead(moment) over (partition by line_id order by moment) as known_to
    from moments
),

-- A line gives its features from the day it is known to the end that is known on the day; an end
-- that is taken back cuts what lies between.
lines_known as (
    select
        lines.customer_id,
        lines.product_id,
        greatest(lines.term_start, {{ company_date('knowledge.known_from') }}) as known_start,
        least(
            coalesce({{ company_date('knowledge.known_to') }}, {{ far_future() }}),
            case when lines.is_auto_renew then {{ far_future() }} else lines.term_end end,
            first_ends.ends_on
        ) as known_end
    from knowledge
    inner join lines
        on
            knowledge.line_id = lines.line_id
            and {{ is_known_at('lines', 'knowledge.known_from') }}
    left join first_ends
        on
            knowledge.line_id = first_ends.line_id
            and {{ is_known_at('first_ends', 'knowledge.known_from') }}
),

views as (
    select true as is_known_then
    union all
    select false as is_known_then
),

-- Without a delivery of entitlements nobody knows better than that everybody may use the core.
spans as (
    select
        terms.customer_id,
        entitlements.feature,
        false as is_known_then,
        greatest(terms.term_start, entitlements.valid_from) as entitled_from,
        least(
            coalesce(terms.effective_end, {{ far_future() }}),
            coalesce(entitlements.valid_to, {{ far_future() }}),
            coalesce({{ company_date('entitlements.vanished_at') }}, {{ far_future() }})
        ) as entitled_to
    from terms
    inner join entitlements
        on
            terms.product_id = entitlements.product_id
            and entitlements.known_to is null
    union all
    select
        lines_known.customer_id,
        entitlements.feature,
        true as is_known_then,
        greatest(
            lines_known.known_start,
            entitlements.valid_from,
            {{ company_date('entitlements.described_from') }}
        ) as entitled_from,
        least(
            lines_known.known_end,
            coalesce(entitlements.valid_to, {{ far_future() }}),
            coalesce({{ company_date('entitlements.known_to') }}, {{ far_future() }}),
            coalesce({{ company_date('entitlements.vanished_at') }}, {{ far_future() }})
        ) as entitled_to
    from lines_known
    inner join entitlements on lines_known.product_id = entitlements.product_id
    union all
    select
        customers.customer_id,
        core_features.feature,
        views.is_known_then,
        cast('{{ var("company_started_on") }}' as date) as entitled_from,
        {{ far_future() }} as entitled_to
    from customers
    cross join core_features
    cross join views
    cross join measures
    where not measures.has_entitlements
),

compared as (
    select
        *,
        max(entitled_to) over (
            partition by customer_id, feature, is_known_then
            order by entitled_from, entitled_to
            rows between unbounded preceding and 1 preceding
        ) as covered_until
    from spans
    where entitled_from < entitled_to
),

numbered as (
    select
        *,
        {{ count_when('covered_until is null or covered_until < entitled_from') }} over (
            partition by customer_id, feature, is_known_then
            order by entitled_from, entitled_to
            rows between unbounded preceding and current row
        ) as span_no
    from compared
),

entitled as (
    select
        numbered.customer_id,
        numbered.feature,
        numbered.is_known_then,
        core_features.feature is not null as is_core,
        min(numbered.entitled_from) as entitled_from,
        max(numbered.entitled_to) as entitled_to
    from numbered
    left join core_features on numbered.feature = core_features.feature
    group by
        numbered.customer_id,
        numbered.feature,
        numbered.is_known_then,
        numbered.span_no,
        core_features.feature is not null
)

select * from entitled
