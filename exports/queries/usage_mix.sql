with

weeks as (
    select distinct on (floor(date_diff('day', state_date, getvariable('as_of_date')) / 7))
        state_date
    from usage_mix_daily
    where
        state_date <= getvariable('as_of_date')
        and state_date > getvariable('as_of_date') - interval 53 week
    order by
        floor(date_diff('day', state_date, getvariable('as_of_date')) / 7), state_date desc
)

select state_date, usage_group, customer_count, customer_share, arr
from usage_mix_daily
where state_date in (select state_date from weeks)
order by state_date, usage_group
