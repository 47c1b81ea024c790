select customer_id, active_user_count_7d
from customer_usage_daily
inner join detailed using (customer_id)
where
    activity_date <= getvariable('as_of_date')
    and activity_date > getvariable('as_of_date') - interval 52 week
    and date_diff('day', activity_date, getvariable('as_of_date')) % 7 = 0
order by customer_id, activity_date
