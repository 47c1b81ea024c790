-- Customers without exactly one description tonight.
select customer_id
from {{ ref('int_customers_described') }}
group by customer_id
having sum(case when known_to is null then 1 else 0 end) != 1
