select
    customer_id, cast(occurred_at as date), kind, concat_ws(' · ', channel, left(summary, 120))
from customer_timeline
inner join detailed using (customer_id)
qualify row_number() over (partition by customer_id order by occurred_at desc, entry_id) <= 15
order by customer_id, occurred_at desc, entry_id
