-- Customers whose merge leads to a customer that was itself merged into another.
select merged.customer_id
from {{ ref('int_customers_resolved') }} as merged
inner join {{ ref('int_customers_resolved') }} as target
    on merged.resolved_customer_id = target.customer_id
where target.resolved_customer_id != target.customer_id
