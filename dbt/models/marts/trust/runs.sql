with

night as (
    select * from {{ ref('stg_ingest__night') }}
)

select
    run_id,
    as_of_date,
    code_version,
    rules_version,
    input_fingerprint,
    is_reconstructed
from night
