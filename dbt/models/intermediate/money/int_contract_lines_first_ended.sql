with

ended as (
    select * from {{ ref('int_contract_lines_ended') }}
),

moments as (
    {% for moment in ['known_from', 'known_to'] -%}
    select
        line_id,
        {{ moment }} as moment
    from ended
    where {{ moment }} is not null
    {{ 'union' if not loop.last }}
    {% endfor %}
),

spans as (
    select
        line_id,
        moment as known_from,
        lead(moment) over (partition by line_id order by moment) as known_to
    from moments
),

first_ended as (
    select
        spans.line_id,
        min(ended.ends_on) as ends_on,
        min_by(ended.end_reason, (ended.ends_on, ended.end_reason)) as end_reason,
        spans.known_from,
        spans.known_to
    from spans
    inner join ended
        on
            spans.line_id = ended.line_id
            and {{ is_known_at('ended', 'spans.known_from') }}
    group by spans.line_id, spans.known_from, spans.known_to
)

select * from first_ended
