select
    customer_id, cast(occurred_at as date) as occurred_on, kind, channel, left(summary, 160) as summary
from customer_timeline
inner join detailed using (customer_id)
qualify row_number() over (partition by customer_id order by occurred_at desc, entry_id) <= 20
order by customer_id, occurred_at desc, entry_id
