select
    delivery_id,
    entity,
    source,
    file_name,
    sha256,
    status,
    reason,
    delivered,
    accepted,
    quarantined,
    duplicate,
    filtered,
    admitted_on,
    delivered_on
from {{ source('raw', 'deliveries') }}
