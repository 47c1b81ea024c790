select
    customer_id, customers.customer_name, customers.status, customers.segment, customers.tier,
    customers.service_mode, customers.industry, customers.country, customers.csm_name,
    customers.primary_contact_name, customers.arr, customers.due_arr, customers.overdue_amount,
    customers.current_version, customers.next_renewal_date, customers.seats_bought,
    customers.active_user_count_28d, customers.login_ratio, customers.usage_state,
    customers.usage_state_since, customers.onboarding_status, customers.days_since_our_contact,
    customers.days_since_their_contact, customers.open_ticket_count, customers.nps,
    customers.goal_status, customers.health_score, customers.health_band,
    customers.health_coverage, customers.churn_probability, scores.score_low, scores.score_high,
    scores.trend_7d, scores.trend_28d, scores.trend_90d, scores.reason
from customer_360 as customers
inner join detailed using (customer_id)
left join (select * from health_scores where as_of_date = getvariable('as_of_date')) as scores
    using (customer_id)
order by customer_id
