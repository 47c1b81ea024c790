select
    as_of_date,
    as_of_end,
    run_id,
    previous_night,
    code_version,
    rules_version,
    input_fingerprint,
    is_reconstructed
from {{ source('raw', 'night') }}
