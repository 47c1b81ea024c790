-- STUB
select
    cast(null as varchar) as level,
    cast(null as date) as window_end,
    cast(null as bigint) as window_months,
    cast(null as varchar) as segment_by,
    cast(null as varchar) as segment,
    cast(null as date) as window_start,
    cast(null as bigint) as customer_count,
    cast(null as decimal(38,10)) as opening_mrr,
    cast(null as decimal(38,10)) as retained_mrr,
    cast(null as decimal(38,10)) as closing_mrr,
    cast(null as decimal(38,10)) as grr,
    cast(null as decimal(38,10)) as nrr,
    cast(null as decimal(38,10)) as nrr_excluding_returns,
    cast(null as decimal(38,10)) as crr,
    cast(null as double) as crr_low,
    cast(null as double) as crr_high
where false
