select
    rule,
    severity,
    count(*) as finding_count,
    count(distinct customer_id) as customer_count,
    sum(arr_at_stake) as arr_at_stake
from rule_audit
group by rule, severity
order by
    case severity when 'high' then 1 when 'medium' then 2 when 'low' then 3 else 4 end,
    arr_at_stake desc nulls last, finding_count desc, rule
