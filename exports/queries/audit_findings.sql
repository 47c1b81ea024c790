select
    findings.rule, findings.severity, findings.customer_id, findings.entity,
    findings.entity_key, findings.happened_on, findings.arr_at_stake, findings.detail,
    customers.customer_name
from rule_audit as findings
left join customer_360 as customers using (customer_id)
order by
    case findings.severity when 'high' then 1 when 'medium' then 2 when 'low' then 3 else 4 end,
    findings.arr_at_stake desc nulls last, findings.rule, findings.finding_id
limit 100
