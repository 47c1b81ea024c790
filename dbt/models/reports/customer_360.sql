with

night as (
    select * from {{ ref('stg_ingest__night') }}
),

customers as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

money_at_dates as (
    select * from {{ ref('int_customers_money_at_dates') }}
),

use_at_dates as (
    select * from {{ ref('int_customers_use_at_dates') }}
),

service_at_dates as (
    select * from {{ ref('int_customers_service_at_dates') }}
),

coverage as (
    select * from {{ ref('contact_coverage') }}
),

activations as (
    select * from {{ ref('activations') }}
),

bought as (
    select * from {{ ref('int_customers_bought') }}
),

status_periods as (
    select * from {{ ref('int_customers_status_periods') }}
),

customer_history as (
    select * from {{ ref('customer_history') }}
    where valid_to is null
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

feature_requests as (
    {{ current_rows(ref('stg_crm__feature_requests')) }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

connections as (
    select * from {{ ref('connections') }}
),

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

rfm_segments as (
    select * from {{ ref('rfm_segments') }}
),

north_star_weeks as (
    select * from {{ ref('north_star_customers_weekly') }}
),

health_scores as (
    select * from {{ ref('health_scores') }}
),

churn_probabilities as (
    select * from {{ source('scores', 'churn_probabilities') }}
    where is_for_warnings
),

churn_warnings as (
    select * from {{ ref('churn_warnings') }}
),

connected as (
    select
        max(case when entity = 'feature_requests' and is_connected then 1 else 0 end) = 1
            as is_requests_connected,
        max(case when entity = 'contacts' and is_connected then 1 else 0 end) = 1
            as is_contacts_connected
    from connections
),

requests as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        count(*) as promised_not_shipped_count
    from feature_requests
    inner join customers_resolved on feature_requests.customer_id = customers_resolved.customer_id
    cross join night
    where
        feature_requests.is_promised_at_sale
        and (
            feature_requests.shipped_at is null or feature_requests.shipped_at > night.as_of_end
        )
    group by customers_resolved.resolved_customer_id
),

states_tonight as (
    select
        usage_states.customer_id,
        usage_states.state,
        usage_states.state_since
    from usage_states
    inner join night on usage_states.state_date = night.as_of_date
),

north_star_last_week as (
    select
        north_star_weeks.customer_id,
        max_by(north_star_weeks.value_action_count, north_star_weeks.week_start)
            as value_action_count
    from north_star_weeks
    cross join night
    where
        north_star_weeks.week_start
        >= {{ add_days(-13, 'night.as_of_date') }}
        and north_star_weeks.week_start <= {{ add_days(-6, 'night.as_of_date') }}
    group by north_star_weeks.customer_id
),

warnings_open as (
    select
        *,
        row_number() over (
            partition by customer_id, kind
            order by rank nulls last, warning_id
        ) as place
    from churn_warnings
    where status != 'closed'
),

warnings_counted as (
    select
        customer_id,
        count(case when kind = 'risk' then warning_id end) as open_warning_count,
        max(case when kind = 'risk' and place = 1 then reason_code end) as top_reason,
        max(case when kind = 'upsell' and place = 1 then reason_code end) as expansion_signal
    from warnings_open
    group by customer_id
),

joined as (
    select
        customers.*,
        night.as_of_date,
        coalesce(money.status, status_periods.status, 'prospect') as status,
        service.tier,
        service.service_mode,
        coverage.lost_contact,
        coverage.next_contact_is_renewal,
        case when connected.is_contacts_connected then coalesce(service.contact_count, 0) end
            as contact_count,
        service.primary_contact_name,
        service.has_champion_left,
        service.csm_id,
        employees.name as csm_name,
        service.csm_since,
        service.sales_id,
        money.tenure_days,
        {{ add_days('-1 * cast(money.tenure_days as integer)', 'night.as_of_date') }}
            as first_paid_date,
        bought.current_version,
        bought.version_end_date,
        bought.addon_count,
        -- Who pays without a rate has an unknown MRR, not none.
        case
            when money.status in ('formal', 'renewed') then money.mrr
            when bought.has_terms then coalesce(money.mrr, 0)
        end as mrr,
        case
            when money.status in ('formal', 'renewed') then money.arr
            when bought.has_terms then coalesce(money.arr, 0)
        end as arr,
        case
            when not bought.has_terms then null
            when money.customer_id is null then 0
            else money.contracted_arr
        end as contracted_arr,
        bought.usage_mrr_3m,
        bought.ordered_amount,
        bought.delivered_amount,
        bought.undelivered_amount,
        bought.receivable_amount,
        bought.overdue_amount,
        bought.wallet_balance,
        bought.wallet_days_left,
        bought.first_purchase_date,
        customer_history.journey_stage,
        money.next_renewal_date,
        money.days_to_renewal,
        money.due_arr_12m,
        money.seats_bought,
        rfm_segments.rfm_code,
        use_tonight.active_user_count_7d,
        use_tonight.active_user_count_28d,
        coalesce(use_tonight.login_trend, 'unmeasured') as login_trend,
        use_tonight.is_used_without_value,
        states_tonight.state as usage_state,
        states_tonight.state_since as usage_state_since,
        north_star_last_week.value_action_count as north_star_value,
        service.days_since_our_contact,
        service.days_since_their_contact,
        service.open_ticket_count,
        service.nps_score,
        service.csat_score,
        service.onboarding_status,
        activations.seats_activated,
        activations.ttfv_days,
        {{ icp_fit('customers') }} as icp_fit,
        case
            when connected.is_requests_connected
                then coalesce(requests.promised_not_shipped_count, 0)
        end as promised_not_shipped_count,
        health_scores.health_score,
        health_scores.health_band,
        health_scores.coverage as health_coverage,
        churn_probabilities.probability as churn_probability,
        coalesce(
            warnings_counted.open_warning_count,
            case when health_scores.customer_id is not null then 0 end
        ) as open_warning_count,
        warnings_counted.top_reason,
        warnings_counted.expansion_signal
    from customers
    cross join night
    cross join connected
    left join money_at_dates as money
        on
            customers.customer_id = money.customer_id
            and night.as_of_date = money.as_of_date
            and night.as_of_date = money.known_on
    left join use_at_dates as use_tonight
        on
            customers.customer_id = use_tonight.customer_id
            and night.as_of_date = use_tonight.as_of_date
            and night.as_of_date = use_tonight.known_on
    left join service_at_dates as service
        on
            customers.customer_id = service.customer_id
            and night.as_of_date = service.as_of_date
            and night.as_of_date = service.known_on
    left join coverage on customers.customer_id = coverage.customer_id
    left join activations on customers.customer_id = activations.customer_id
    left join status_periods
        on
            customers.customer_id = status_periods.customer_id
            and status_periods.valid_from <= night.as_of_date
            and (status_periods.valid_to is null or status_periods.valid_to > night.as_of_date)
    left join employees on service.csm_id = employees.employee_id
    left join bought on customers.customer_id = bought.customer_id
    left join customer_history on customers.customer_id = customer_history.customer_id
    left join requests on customers.customer_id = requests.customer_id
    left join rfm_segments on customers.customer_id = rfm_segments.customer_id
    left join states_tonight on customers.customer_id = states_tonight.customer_id
    left join north_star_last_week on customers.customer_id = north_star_last_week.customer_id
    left join health_scores
        on
            customers.customer_id = health_scores.customer_id
            and night.as_of_date = health_scores.as_of_date
    left join churn_probabilities on customers.customer_id = churn_probabilities.customer_id
    left join warnings_counted on customers.customer_id = warnings_counted.customer_id
),

customer_360 as (
    select
        customer_id,
        customer_name,
        as_of_date,
        status,
        journey_stage,
        segment,
        tier,
        service_mode,
        industry,
        region,
        country,
        employee_count,
        contact_count,
        primary_contact_name,
        has_champion_left,
        csm_id,
        csm_name,
        csm_since,
        sales_id,
        first_paid_date,
        cast({{ dbt.date_trunc('month', 'first_paid_date') }} as date) as cohort_month,
        least(first_paid_date, first_purchase_date) as first_purchase_date,
        tenure_days,
        current_version,
        version_end_date,
        addon_count,
        cast(mrr as decimal(38, 10)) as mrr,
        cast(arr as decimal(38, 10)) as arr,
        cast(contracted_arr as decimal(38, 10)) as contracted_arr,
        usage_mrr_3m,
        '{{ var("company_currency") }}' as currency,
        ordered_amount,
        delivered_amount,
        undelivered_amount,
        receivable_amount,
        overdue_amount,
        wallet_balance,
        wallet_days_left,
        next_renewal_date,
        days_to_renewal,
        due_arr_12m as due_arr,
        seats_bought,
        seats_activated,
        active_user_count_7d,
        active_user_count_28d,
        {{ divide('active_user_count_28d', 'seats_bought', 'double') }} as login_ratio,
        login_trend,
        usage_state,
        usage_state_since,
        is_used_without_value,
        north_star_value,
        rfm_code,
        days_since_our_contact,
        days_since_their_contact,
        lost_contact,
        next_contact_is_renewal,
        open_ticket_count,
        nps_score as nps,
        csat_score as csat,
        onboarding_status,
        ttfv_days,
        fit_pct,
        fit_pct < 30 as fit_below_30,
        promised_not_shipped_count,
        goal_status,
        icp_fit,
        case
            when is_reference then true
            when nps_score >= 9 and usage_state in ('high', 'normal') then true
            when is_reference is not null or nps_score is not null then false
        end as is_reference_candidate,
        expansion_signal,
        health_score,
        health_band,
        health_coverage,
        churn_probability,
        open_warning_count,
        top_reason,
        attributes
    from joined
)

select * from customer_360
