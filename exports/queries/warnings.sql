with

names as (
    select csm_id, max(csm_name) as csm_name
    from csm_books
    group by csm_id
)

select
    warnings.warning_id, warnings.customer_id, warnings.kind, warnings.reason_code,
    warnings.drivers, warnings.playbook, warnings.opened_on, warnings.status, warnings.due_date,
    warnings.due_arr, warnings.churn_probability, warnings.expected_saved_arr,
    warnings.is_assumed, warnings.is_urgent, warnings.rank, warnings.is_within_budget,
    warnings.skipped_on, coalesce(skippers.csm_name, warnings.skipped_by) as skipped_by,
    warnings.skipped_reason,
    customers.customer_name, customers.segment, customers.health_score, customers.health_band,
    customers.usage_state, customers.next_renewal_date, scores.reason,
    coalesce(books.csm_name, customers.csm_name, nullif(warnings.csm_id, 'unassigned')) as csm
from churn_warnings as warnings
left join customer_360 as customers using (customer_id)
left join names as books on books.csm_id = warnings.csm_id
left join names as skippers on skippers.csm_id = warnings.skipped_by
left join health_scores as scores
    on scores.customer_id = warnings.customer_id
    and scores.as_of_date = getvariable('as_of_date')
where warnings.closed_on is null
order by warnings.rank nulls last, warnings.due_arr desc nulls last, warnings.warning_id
