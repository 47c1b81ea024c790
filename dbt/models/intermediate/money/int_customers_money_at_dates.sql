-- STUB
select
    cast(null as varchar) as customer_id,
    cast(null as date) as as_of_date,
    cast(null as date) as known_on,
    cast(null as varchar) as status,
    cast(null as bigint) as tenure_days,
    cast(null as decimal(38,10)) as mrr,
    cast(null as decimal(38,10)) as arr,
    cast(null as decimal(38,10)) as contracted_arr,
    cast(null as decimal(38,10)) as mrr_90d_ago,
    cast(null as decimal(38,10)) as due_arr_12m,
    cast(null as date) as next_renewal_date,
    cast(null as bigint) as days_to_renewal,
    cast(null as varchar) as last_outcome,
    cast(null as decimal(38,10)) as overdue_amount,
    cast(null as bigint) as overdue_days,
    cast(null as decimal(38,10)) as seats_bought
where false
