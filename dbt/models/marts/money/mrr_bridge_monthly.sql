-- STUB
select
    cast(null as date) as month_start,
    cast(null as decimal(38,10)) as opening_mrr,
    cast(null as decimal(38,10)) as new,
    cast(null as decimal(38,10)) as reactivation,
    cast(null as decimal(38,10)) as late_renewal,
    cast(null as decimal(38,10)) as expansion,
    cast(null as decimal(38,10)) as contraction,
    cast(null as decimal(38,10)) as churn,
    cast(null as decimal(38,10)) as currency_effect,
    cast(null as decimal(38,10)) as closing_mrr
where false
