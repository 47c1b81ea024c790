with

customers_described as (
    select * from {{ ref('int_customers_described') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

status_periods as (
    select * from {{ ref('int_customers_status_periods') }}
),

journey_periods as (
    select * from {{ ref('int_customers_journey_periods') }}
),

arr_changed as (
    select * from {{ ref('int_customers_arr_changed') }}
),

ownerships as (
    {{ current_rows(ref('stg_crm__ownerships')) }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

terms as (
    select * from {{ ref('subscription_terms') }}
    where product_kind = 'version' or product_kind is null
),

products as (
    {{ current_rows(ref('stg_orders__products')) }}
),

-- Of several descriptions of a day the last one counts.
segments as (
    select
        customer_id,
        {{ company_date('described_from') }} as valid_from,
        max_by(coalesce(segment, ''), described_from) as segment
    from customers_described
    group by customer_id, {{ company_date('described_from') }}
),

segments_compared as (
    select
        *,
        {{ is_change('segment') }} as is_change
    from segments
),

segment_periods as (
    select
        customer_id,
        segment,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from segments_compared
    where is_change
),

arr_running as (
    select
        customer_id,
        change_date as valid_from,
        sum(arr_change) over to_date as arr,
        sum(term_change - valued_term_change) over to_date as unvalued_terms
    from arr_changed
    window to_date as (partition by customer_id order by change_date)
),

tiers as (
    select
        customer_id,
        valid_from,
        {{ tier_of('case when unvalued_terms = 0 then arr end') }} as tier
    from arr_running
),

-- Rates change the ARR every day, and the tier hardly ever.
tiers_compared as (
    select
        *,
        {{ is_change('tier') }} as is_change
    from tiers
),

tier_periods as (
    select
        customer_id,
        tier,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to
    from tiers_compared
    where is_change
),

-- Who has left owns nobody, and hides whom he followed.
csms as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        ownerships.customer_id as owned_customer_id,
        ownerships.employee_id,
        ownerships.valid_from,
        least(ownerships.valid_to, {{ company_date('ownerships.vanished_at') }}) as valid_to,
        employees.left_on
    from ownerships
    inner join customers_resolved on ownerships.customer_id = customers_resolved.customer_id
    left join employees on ownerships.employee_id = employees.employee_id
    where ownerships.role = '{{ var("csm_role") }}'
),

versions as (
    select
        terms.customer_id,
        terms.term_id,
        terms.term_start as valid_from,
        terms.effective_end as valid_to,
        coalesce(products.name, terms.product_id) as product_name
    from terms
    left join products on terms.product_id = products.product_id
),

dates as (
    select
        customer_id,
        valid_from
    from status_periods
    union
    select
        customer_id,
        valid_from
    from journey_periods
    union
    select
        customer_id,
        valid_from
    from segment_periods
    union
    select
        customer_id,
        valid_from
    from tier_periods
    union
    select
        customer_id,
        valid_from
    from csms
    union
    select
        customer_id,
        valid_to as valid_from
    from csms
    union
    select
        customer_id,
        left_on as valid_from
    from csms
    union
    select
        customer_id,
        valid_from
    from versions
    union
    select
        customer_id,
        valid_to as valid_from
    from versions
),

-- A customer's history begins with its first status; of whom none is known, tonight.
beginnings as (
    select
        customers_described.customer_id,
        coalesce(min(status_periods.valid_from), {{ as_of_date() }}) as begins_on
    from customers_described
    left join status_periods on customers_described.customer_id = status_periods.customer_id
    group by customers_described.customer_id
),

boundaries as (
    select
        beginnings.customer_id,
        beginnings.begins_on as valid_from
    from beginnings
    union
    select
        dates.customer_id,
        dates.valid_from
    from dates
    inner join beginnings on dates.customer_id = beginnings.customer_id
    where dates.valid_from > beginnings.begins_on and dates.valid_from <= {{ as_of_date() }}
),

csms_placed as (
    select
        boundaries.customer_id,
        boundaries.valid_from,
        case
            when csms.left_on is null or csms.left_on > boundaries.valid_from
                then csms.employee_id
        end as csm_id,
        row_number() over (
            partition by boundaries.customer_id, boundaries.valid_from
            order by csms.valid_from desc, csms.employee_id, csms.owned_customer_id
        ) as place
    from boundaries
    inner join csms
        on
            boundaries.customer_id = csms.customer_id
            and boundaries.valid_from >= csms.valid_from
            and (csms.valid_to is null or boundaries.valid_from < csms.valid_to)
),

versions_placed as (
    select
        boundaries.customer_id,
        boundaries.valid_from,
        versions.product_name,
        row_number() over (
            partition by boundaries.customer_id, boundaries.valid_from
            order by versions.valid_from desc, versions.term_id
        ) as place
    from boundaries
    inner join versions
        on
            boundaries.customer_id = versions.customer_id
            and boundaries.valid_from >= versions.valid_from
            and (versions.valid_to is null or boundaries.valid_from < versions.valid_to)
),

described as (
    select
        boundaries.customer_id,
        boundaries.valid_from,
        coalesce(status_periods.status, 'prospect') as status,
        case
            when status_periods.customer_id is null then 'select'
            else journey_periods.journey_stage
        end as journey_stage,
        nullif(segment_periods.segment, '') as segment,
        tier_periods.tier,
        csms_placed.csm_id,
        versions_placed.product_name as current_version
    from boundaries
    left join status_periods
        on
            boundaries.customer_id = status_periods.customer_id
            and boundaries.valid_from >= status_periods.valid_from
            and (
                status_periods.valid_to is null or boundaries.valid_from < status_periods.valid_to
            )
    left join journey_periods
        on
            boundaries.customer_id = journey_periods.customer_id
            and boundaries.valid_from >= journey_periods.valid_from
            and (
                journey_periods.valid_to is null or boundaries.valid_from < journey_periods.valid_to
            )
    left join segment_periods
        on
            boundaries.customer_id = segment_periods.customer_id
            and boundaries.valid_from >= segment_periods.valid_from
            and (
                segment_periods.valid_to is null or boundaries.valid_from < segment_periods.valid_to
            )
    left join tier_periods
        on
            boundaries.customer_id = tier_periods.customer_id
            and boundaries.valid_from >= tier_periods.valid_from
            and (tier_periods.valid_to is null or boundaries.valid_from < tier_periods.valid_to)
    left join csms_placed
        on
            boundaries.customer_id = csms_placed.customer_id
            and boundaries.valid_from = csms_placed.valid_from
            and csms_placed.place = 1
    left join versions_placed
        on
            boundaries.customer_id = versions_placed.customer_id
            and boundaries.valid_from = versions_placed.valid_from
            and versions_placed.place = 1
),

{% set facts = [
    'status', 'journey_stage', 'segment', 'tier', 'csm_id', 'current_version'
] -%}
compared as (
    select
        *,
        {%- for fact in facts %}
        lag({{ fact }}) over by_customer as previous_{{ fact }},
        {%- endfor %}
        row_number() over by_customer as place
    from described
    window by_customer as (partition by customer_id order by valid_from)
),

customer_history as (
    select
        customer_id,
        valid_from,
        lead(valid_from) over (partition by customer_id order by valid_from) as valid_to,
        status,
        journey_stage,
        segment,
        tier,
        csm_id,
        current_version
    from compared
    where
        {%- for fact in facts %}
        {{ fact }} is distinct from previous_{{ fact }}
        or
        {%- endfor %}
        place = 1
)

select * from customer_history
