with

journey_periods as (
    select * from {{ ref('int_customers_journey_periods') }}
),

compared as (
    select
        customer_id,
        valid_from as transition_date,
        lag(journey_stage) over (partition by customer_id order by valid_from) as from_stage,
        journey_stage as to_stage,
        row_number() over (partition by customer_id order by valid_from) as place
    from journey_periods
),

journey_transitions as (
    select
        customer_id,
        transition_date,
        from_stage,
        to_stage
    from compared
    where place > 1
)

select * from journey_transitions
