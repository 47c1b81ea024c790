select
    alarm_id,
    kind,
    entity,
    opened_on,
    detail
from {{ source('raw', 'alarms') }}
