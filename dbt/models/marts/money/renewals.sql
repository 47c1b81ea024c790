-- STUB
select
    cast(null as varchar) as term_id,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as product_id,
    cast(null as date) as due_date,
    cast(null as decimal(38,10)) as due_arr,
    cast(null as double) as term_months,
    cast(null as varchar) as outcome,
    cast(null as varchar) as loss_reason,
    cast(null as date) as outcome_date,
    cast(null as varchar) as successor_term_id,
    cast(null as decimal(38,10)) as renewed_arr,
    cast(null as bigint) as days_from_due,
    cast(null as boolean) as is_mature,
    cast(null as date) as matures_on,
    cast(null as timestamptz) as outcome_known_at,
    cast(null as varchar) as renewal_owner_id,
    cast(null as date) as talk_started_date,
    cast(null as bigint) as talk_lead_days,
    cast(null as boolean) as had_discount
where false
