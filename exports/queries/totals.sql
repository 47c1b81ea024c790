select
    count(*) as customer_count,
    count(*) filter (where status in ('formal', 'renewed', 'lapsed', 'pay_as_you_go'))
        as paying_count,
    count(*) filter (where mrr > 0) as subscribed_count,
    count(*) filter (
        where status in ('formal', 'renewed', 'lapsed', 'pay_as_you_go') and mrr > 0 is not true
    ) as without_mrr_count,
    sum(mrr) as mrr,
    sum(arr) as arr,
    sum(contracted_arr) as contracted_arr
from customer_360
