select
    customer_id, product_id, term_start, term_end, cast(round(12 * mrr) as bigint),
    renewals.outcome
from subscription_terms as terms
inner join detailed using (customer_id)
left join (select term_id, outcome from renewals) as renewals using (term_id)
qualify row_number() over (partition by customer_id order by term_start desc, term_id) <= 6
order by customer_id, term_start desc, term_id
