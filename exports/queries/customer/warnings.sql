with

names as (
    select csm_id, max(csm_name) as csm_name
    from csm_books
    group by csm_id
)

select
    customer_id, reason_code, opened_on, due_date, playbook, drivers, skipped_on,
    coalesce(names.csm_name, skipped_by) as skipped_by, skipped_reason, due_arr
from churn_warnings
inner join detailed using (customer_id)
left join names on names.csm_id = skipped_by
where closed_on is null
order by customer_id, rank nulls last, warning_id
