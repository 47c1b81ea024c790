-- Alarms that claim to be seen after the night.
select *
from {{ ref('data_alarms') }}
where opened_on > {{ as_of_date() }}
