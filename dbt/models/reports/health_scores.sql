with

scores as (
    select * from {{ source('scores', 'health_scores') }}
),

health_scores as (
    select
        cast(customer_id as varchar) as customer_id,
        cast(as_of_date as date) as as_of_date,
        cast(health_score as double) as health_score,
        cast(health_band as varchar) as health_band,
        cast(coverage as double) as coverage,
        cast(score_low as double) as score_low,
        cast(score_high as double) as score_high,
        cast(trend_7d as double) as trend_7d,
        cast(trend_28d as double) as trend_28d,
        cast(trend_90d as double) as trend_90d,
        cast(rules_version as varchar) as rules_version,
        cast(reason as varchar) as reason,
        cast(trend_sentence as varchar) as trend_sentence
    from scores
)

select * from health_scores
