with

due as (
    select
        cast(date_trunc('month', due_date) as date) as due_month,
        count(*) as term_count,
        sum(due_arr) as due_arr,
        sum(due_arr) filter (where outcome = 'open') as open_arr,
        sum(due_arr) filter (where outcome = 'churned') as lost_arr,
        sum(due_arr) filter (where outcome not in ('open', 'churned')) as kept_arr
    from renewals
    where
        due_date > getvariable('as_of_date')
        and due_date <= getvariable('as_of_date') + interval 12 month
        and outcome <> 'lifetime'
    group by all
),

forecast as (
    select made_on, due_month, term_count, due_arr, rate, cohort_count, expected_arr, low, high
    from renewal_forecast
    where
        segment = 'all'
        and made_on = (
            select max(made_on) from renewal_forecast where made_on <= getvariable('as_of_date')
        )
)

select
    due_month,
    due.term_count, due.due_arr, due.open_arr, due.lost_arr, due.kept_arr,
    forecast.made_on, forecast.due_arr as forecast_due_arr, forecast.rate,
    forecast.cohort_count, forecast.expected_arr, forecast.low, forecast.high
from due
left join forecast using (due_month)
order by due_month
