select
    money.due_month, counts.term_count, money.due, money.renewed_by_minus_30,
    money.renewed_by_0, money.renewed_by_plus_30, money.renewed_by_plus_60,
    money.renewed_by_plus_90, money.gross_rate, money.net_rate, money.open_share, money.is_mature
from renewal_cohorts as money
left join (
    select due_month, due as term_count
    from renewal_cohorts
    where measure = 'count' and term_class = 'all' and segment = 'all'
) as counts using (due_month)
where
    money.measure = 'money'
    and money.term_class = 'all'
    and money.segment = 'all'
    and money.due_month > getvariable('as_of_date') - interval 13 month
    and money.due_month <= getvariable('as_of_date')
order by money.due_month desc
