-- Files whose rows were lost or counted twice: delivered is not accepted + quarantined + duplicate.
select *
from {{ ref('stg_ingest__deliveries') }}
where status != 'refused' and delivered != accepted + quarantined + duplicate
