select
    holiday_date,
    name
from {{ source('raw', 'holidays') }}
