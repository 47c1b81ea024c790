{# The columns together tell rows apart; a null is a value like any other. #}
{% test unique_combination_with_nulls(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
