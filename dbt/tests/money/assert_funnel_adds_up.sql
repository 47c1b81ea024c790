-- Detects months and stages whose segments do not add up to the total, or that convert more than
-- entered.
with

compared as (
    select
        month_start,
        stage,
        sum(case when segment = 'all' then entered_count else -entered_count end)
            as entered_difference,
        sum(case when segment = 'all' then converted_count else -converted_count end)
            as converted_difference,
        max(converted_count - entered_count) as most_converted
    from {{ ref('sales_funnel_monthly') }}
    group by month_start, stage
)

select *
from compared
where entered_difference != 0 or converted_difference != 0 or most_converted > 0
