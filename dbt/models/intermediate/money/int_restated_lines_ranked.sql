with

restated as (
    select * from {{ ref('int_measures_restated') }}
),

lines_valued as (
    select * from {{ ref('int_restated_lines_valued') }}
),

renewals_compared as (
    select * from {{ ref('int_renewals_compared') }}
),

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

first_ends as (
    select * from {{ ref('int_contract_lines_first_ended') }}
),

lines_compared as (
    select
        month_start,
        measure,
        line_id,
        value_date,
        abs(sum(difference)) as difference,
        sum(worth) as worth,
        sum(worth * sign) as signed_worth
    from lines_valued
    group by month_start, measure, line_id, value_date
),

lines_weighed as (
    select
        month_start,
        measure,
        line_id,
        abs(sum(signed_worth)) as net_worth,
        sum(abs(worth)) as worth,
        sum(difference) as difference,
        max(value_date) as last_date
    from lines_compared
    group by month_start, measure, line_id
),

terms_ranked as (
    select
        restated.month_start,
        restated.measure,
        renewals_compared.line_id,
        renewals_compared.next_line_id,
        {{ day_end('renewals_compared.matures_on') }} as known_after,
        row_number() over (
            partition by restated.month_start, restated.measure
            order by
                case restated.measure
                    when 'due_arr'
                        then abs(renewals_compared.due_now - renewals_compared.closed_due)
                    else abs(renewals_compared.kept_now - renewals_compared.closed_kept)
                end desc,
                renewals_compared.term_id desc
        ) as term_rank
    from restated
    inner join renewals_compared
        on
            restated.month_start = renewals_compared.month_start
            and restated.customer_id = renewals_compared.customer_id
    where restated.measure in ('due_arr', 'renewed_arr')
),

terms_restated as (
    select * from terms_ranked
    where term_rank = 1
),

-- Of the customer that moved most the line that moved most, on the days that the measure looks at;
-- money without a rate comes after rates. What is due depends on the line itself, what is renewed
-- on the one that follows.
lines_that_moved as (
    select
        month_start,
        measure,
        case when max(worth) > 0 then 1 else 6 end as distance,
        max_by(line_id, (net_worth, worth, difference, line_id)) as line_id,
        max(last_date) as ended_by
    from lines_weighed
    where difference > 0
    group by month_start, measure
    {% for measure, columns in {
        'due_arr': ['line_id', 'next_line_id'], 'renewed_arr': ['next_line_id', 'line_id'],
    }.items() -%}
    {% for column in columns -%}
    union all
    select
        month_start,
        measure,
        {{ loop.index0 }} as distance,
        {{ column }} as line_id,
        null as ended_by
    from terms_restated
    where measure = '{{ measure }}'
    {% endfor -%}
    {% endfor -%}
    -- At last any line of the customer: a loss told earlier makes a late renewal a reactivation.
    union all
    select distinct
        restated.month_start,
        restated.measure,
        8 as distance,
        lines.line_id,
        null as ended_by
    from restated
    inner join lines on restated.customer_id = lines.customer_id
),

lines_searched as (
    select
        lines_that_moved.*,
        coalesce(terms_restated.known_after, restated.closed_at) as known_after
    from lines_that_moved
    inner join restated
        on
            lines_that_moved.month_start = restated.month_start
            and lines_that_moved.measure = restated.measure
    left join terms_restated
        on
            lines_that_moved.month_start = terms_restated.month_start
            and lines_that_moved.measure = terms_restated.measure
),

endings as (
    select
        line_id,
        next_line_id,
        ends_on,
        min(known_from) as known_from
    from ended
    where next_line_id is not null
    group by line_id, next_line_id, ends_on
),

-- A line is restated by the line that truly ends it by the day of the measure and became known for
-- it, else by a row of its own, else by any line that ends it.
lines_to_blame as (
    select
        month_start,
        measure,
        line_id,
        known_after,
        distance
    from lines_searched
    union all
    select
        lines_searched.month_start,
        lines_searched.measure,
        endings.next_line_id as line_id,
        lines_searched.known_after,
        lines_searched.distance
        + case
            when
                endings.ends_on = first_ends.ends_on
                and endings.ends_on <= lines_searched.ended_by
                and lines.line_id is null
                then -1
            else 1
        end as distance
    from lines_searched
    inner join endings
        on
            lines_searched.line_id = endings.line_id
            and lines_searched.known_after < endings.known_from
    left join first_ends
        on endings.line_id = first_ends.line_id and first_ends.known_to is null
    left join lines
        on endings.line_id = lines.line_id and endings.known_from = lines.known_from
),

lines_ranked as (
    select
        month_start,
        measure,
        line_id,
        known_after,
        min(distance) as distance
    from lines_to_blame
    group by month_start, measure, line_id, known_after
)

select * from lines_ranked
