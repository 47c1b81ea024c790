{# Two facts are known together in the overlap of [known_from, known_to); null: known to this day. #}
{% macro is_known_together(one, other) -%}
    ({{ other }}.known_to is null or {{ one }}.known_from < {{ other }}.known_to)
    and ({{ one }}.known_to is null or {{ other }}.known_from < {{ one }}.known_to)
{%- endmacro %}

{# Do two lines count as one kind of product? What no list of products names is a version. #}
{% macro is_same_kind(one, other) -%}
    coalesce({{ one }}.product_kind, 'version') = coalesce({{ other }}.product_kind, 'version')
{%- endmacro %}

{# The days until a lost term is lost for good, by the length of the term. A month has at most 31
   days, six months at most 184. #}
{% macro grace_days(whole_months, term_days) -%}
    case
        when {{ whole_months }} <= 1 or ({{ whole_months }} is null and {{ term_days }} <= 31)
            then {{ var('grace_days_monthly') }}
        when {{ whole_months }} <= 6 or ({{ whole_months }} is null and {{ term_days }} <= 184)
            then {{ var('grace_days_half_year') }}
        else {{ var('grace_days_longer') }}
    end
{%- endmacro %}

{# Bounds of the 95 % Wilson interval of a share: hits of n. Null without observations. #}
{% macro wilson(hits, n, bound) -%}
    case
        when {{ n }} > 0
            then {{ 'greatest(0, ' if bound == 'low' else 'least(1, ' }}(
                {{ hits }} / cast({{ n }} as double) + 1.920729410347062 / {{ n }}
                {{ '-' if bound == 'low' else '+' }} 1.959963984540054 * sqrt(
                    {{ hits }} / cast({{ n }} as double)
                    * (1 - {{ hits }} / cast({{ n }} as double)) / {{ n }}
                    + 0.960364705173531 / (cast({{ n }} as double) * {{ n }})
                )
            ) / (1 + 3.841458820694124 / {{ n }}))
    end
{%- endmacro %}

{# Half the width of the normal 95 % interval of a rate seen on n. #}
{% macro normal_95(rate, n) -%}
    1.959963984540054 * sqrt({{ rate }} * greatest(1 - {{ rate }}, 0) / {{ n }})
{%- endmacro %}

{# In whole cents: a sum of doubles differs from run to run. #}
{% macro sum_of_squares(amount) -%}
    sum(cast({{ amount }} as decimal(19, 2)) * cast({{ amount }} as decimal(19, 2)))
{%- endmacro %}

{# How many terms of one size would weigh as much as these of unequal ARR (Kish). #}
{% macro effective_count(arr) -%}
    cast(sum({{ arr }}) as double) * cast(sum({{ arr }}) as double)
    / nullif({{ sum_of_squares(arr) }}, 0)
{%- endmacro %}

{# A line that follows serves the terms that ask for it, those that are final first, so that nothing
   learnt later takes from them: the place of a term in the queue, what all of them were due, and
   what those before it were. Who was not known when the first was judged comes too late. #}
{% macro queue_for_successor() -%}
    {% set is_too_late = 'first_known_at > first_judged_at' -%}
    {% set asked_arr = 'case when ' ~ is_too_late ~ ' then 0 else due_arr end' -%}
    {% set line = 'partition by judged_by, next_line_id' -%}
    {% set queue = line ~ ' order by final_at, is_known_late, due_date, term_id' -%}
    {{ is_too_late }} as is_too_late,
    row_number() over ({{ queue }}) as turn_no,
    sum({{ asked_arr }}) over ({{ line }}) as demand_arr,
    coalesce(
        sum({{ asked_arr }}) over ({{ queue }} rows between unbounded preceding and 1 preceding),
        0
    ) as arr_before
{%- endmacro %}

{# The first in the queue is served, then who came in time while the line has a cent of ARR left: ARR
   has ten places, and 12 x (1,000 / 12) twice is a little less than 12 x (2,000 / 12). #}
{% macro is_served() -%}
    (turn_no = 1 or (not is_too_late and round(next_arr - arr_before, 2) > 0))
{%- endmacro %}

{# What of the line's ARR goes to a term it serves: at most what was due; what nobody asks for, to
   the first. #}
{% macro arr_served() -%}
    least(due_arr, next_arr - arr_before)
    + case when turn_no = 1 then greatest(next_arr - demand_arr, 0) else 0 end
{%- endmacro %}
