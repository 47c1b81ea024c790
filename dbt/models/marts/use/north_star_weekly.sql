-- STUB
select
    cast(null as date) as week_start,
    cast(null as bigint) as north_star,
    cast(null as bigint) as new_count,
    cast(null as bigint) as retained_count,
    cast(null as bigint) as resurrected_count,
    cast(null as bigint) as lost_count
where false
