select run_id, as_of_date, is_reconstructed, rules_version, code_version
from runs
where run_id = (select max(run_id) from customer_360)
