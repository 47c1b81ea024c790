{# Calendar arithmetic of terms: whole calendar months with clipped month ends, else days. #}
{% macro add_days(days, day) -%}
    cast({{ dbt.dateadd('day', days, day) }} as date)
{%- endmacro %}

{% macro add_months(months, day) -%}
    cast({{ dbt.dateadd('month', months, day) }} as date)
{%- endmacro %}

{% macro elapsed_days(first_day, last_day) -%}
    {{ dbt.datediff(first_day, last_day, 'day') }}
{%- endmacro %}

{# Months between the calendar months of two days, whatever the days. #}
{% macro month_steps(first_day, last_day) -%}
    cast(
        (extract(year from {{ last_day }}) - extract(year from {{ first_day }})) * 12
        + extract(month from {{ last_day }}) - extract(month from {{ first_day }}) as bigint
    )
{%- endmacro %}

{% macro month_start(day) -%}
    cast({{ dbt.date_trunc('month', day) }} as date)
{%- endmacro %}

{# The last day of the month that begins on month_start. #}
{% macro month_end(month_start) -%}
    {{ add_days(-1, add_months(1, month_start)) }}
{%- endmacro %}

{# End of a line's period: periods repeat from the line's own start, so a 31st comes back. #}
{% macro period_end(term_start, whole_months, term_days, period_no) -%}
    case
        when {{ whole_months }} is not null
            then {{ add_months('cast((' ~ period_no ~ ') * ' ~ whole_months ~ ' as int)', term_start) }}
        else {{ add_days('cast((' ~ period_no ~ ') * ' ~ term_days ~ ' as int)', term_start) }}
    end
{%- endmacro %}

{# How many periods of whole months, or of days, have ended by a day; never < 0. #}
{% macro month_periods_ended(term_start, whole_months, day) -%}
    cast(greatest(floor(
        (
            {{ month_steps(term_start, day) }}
            - case
                when
                    {{ add_months('cast(' ~ month_steps(term_start, day) ~ ' as int)', term_start) }}
                    > {{ day }}
                    then 1
                else 0
            end
        ) / cast({{ whole_months }} as double)
    ), 0) as bigint)
{%- endmacro %}

{% macro day_periods_ended(term_start, term_days, day) -%}
    cast(greatest(
        floor({{ elapsed_days(term_start, day) }} / cast({{ term_days }} as double)), 0
    ) as bigint)
{%- endmacro %}

{# How many periods of a line have ended by a day (an end on the day itself counts). #}
{% macro periods_ended(term_start, whole_months, term_days, day) -%}
    case
        when {{ whole_months }} is not null
            then {{ month_periods_ended(term_start, whole_months, day) }}
        else {{ day_periods_ended(term_start, term_days, day) }}
    end
{%- endmacro %}

{# End of the period of a line that a day lies in; of its first for any day before. #}
{% macro period_end_after(term_start, whole_months, term_days, day) -%}
    case
        when {{ whole_months }} is not null
            then {{ add_months(
                'cast((' ~ month_periods_ended(term_start, whole_months, day) ~ ' + 1) * '
                ~ whole_months ~ ' as int)', term_start
            ) }}
        else {{ add_days(
            'cast((' ~ day_periods_ended(term_start, term_days, day) ~ ' + 1) * '
            ~ term_days ~ ' as int)', term_start
        ) }}
    end
{%- endmacro %}

{# The numbers from 1 to a limit (a scalar, 9,999 at most), as a relation with the column number. #}
{% macro numbers_up_to(limit) -%}
    select numbers.number
    from (
        select
            cast(
                thousands.digit * 1000 + hundreds.digit * 100 + tens.digit * 10 + ones.digit
                as bigint
            ) as number
        from
            {% for place in ['ones', 'tens', 'hundreds', 'thousands'] -%}
            {{ 'cross join ' if not loop.first }}(
                {% for digit in range(10) %}select {{ digit }} as digit
                {{- ' union all ' if not loop.last }}
                {%- endfor %}
            ) as {{ place }}
            {% endfor %}
    ) as numbers
    where numbers.number between 1 and {{ limit }}
{%- endmacro %}

{# The periods of some lines that have begun by a day: of a line that goes on by itself one for every
   length of it, of any other its term alone. #}
{% macro periods_begun(lines, day) -%}
    with

    lines_counted as (
        select
            *,
            1 + {{ periods_ended('term_start', 'whole_months', 'term_days', day) }} as period_count
        from {{ lines }}
        where is_auto_renew
    ),

    period_numbers as (
        {{ numbers_up_to('(select max(lines_counted.period_count) from lines_counted)') }}
    )

    select
        *,
        cast(1 as bigint) as period_no,
        term_start as period_start,
        term_end as period_end
    from {{ lines }}
    where not is_auto_renew
    union all
    select
        lines_counted.* exclude (period_count),
        period_numbers.number as period_no,
        {{ period_end('term_start', 'whole_months', 'term_days', '(period_numbers.number - 1)') }}
            as period_start,
        {{ period_end('term_start', 'whole_months', 'term_days', 'period_numbers.number') }}
            as period_end
    from lines_counted
    inner join period_numbers on period_numbers.number <= lines_counted.period_count
{%- endmacro %}

{# A day after every other: the end of what has none. #}
{% macro far_future() -%}
    cast('9999-12-31' as date)
{%- endmacro %}

{# The rate of every currency and day that a relation names, from dated rates: each pair once. #}
{% macro rates_of_days(rates, relation, currency, day) -%}
    select
        days.currency,
        days.rate_day,
        dated.rate
    from (
        select distinct
            {{ currency }} as currency,
            {{ day }} as rate_day
        from {{ relation }}
    ) as days
    inner join {{ rates }} as dated
        on
            days.currency = dated.currency
            and days.rate_day >= dated.valid_from
            and days.rate_day < dated.valid_to
{%- endmacro %}
