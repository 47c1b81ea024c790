-- Signals of a day after the knowledge they are made from, or of a day after the night.
select
    customer_id,
    as_of_date,
    known_on
from {{ ref('customer_signals') }}
where as_of_date > known_on or known_on > {{ as_of_date() }}
