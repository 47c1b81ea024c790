with

versions as (
    {{ versions_of('contacts', key=['contact_id']) }}
)

select
    contact_id,
    customer_id,
    name,
    email,
    role,
    is_primary,
    is_champion,
    left_on,
    described_from,
    known_from,
    known_to,
    vanished_at
from versions
