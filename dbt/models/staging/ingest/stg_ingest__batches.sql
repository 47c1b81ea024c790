select
    batch_id,
    {{ batch_no('batch_id') }} as batch_no,
    entity,
    source,
    delivery,
    file_name,
    delivered_on,
    known_at,
    batch_order,
    row_count,
    is_first_load
from {{ source('raw', 'batches') }}
