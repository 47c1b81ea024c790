select
    week_start, from_state, to_state, customer_count, opening_count, probability, expected_count,
    surprise
from usage_transition_matrix
where
    week_start = (
        select max(week_start)
        from usage_transition_matrix
        where week_start <= getvariable('as_of_date') - interval 6 day
    )
order by from_state, to_state
