-- Detects customers whose days of use do not run without a gap to the night's date.
select
    customer_id,
    min(activity_date) as first_date,
    max(activity_date) as last_date,
    count(*) as day_count
from {{ ref('customer_usage_daily') }}
group by customer_id
having
    max(activity_date) != {{ as_of_date() }}
    or count(*) != {{ dbt.datediff('min(activity_date)', 'max(activity_date)', 'day') }} + 1
