with

lines as (
    select * from {{ ref('int_contract_lines_priced') }}
),

ended_alone as (
    select * from {{ ref('int_contract_lines_ended_apart') }}
    union all
    select * from {{ ref('int_contract_lines_stopped') }}
),

versions_end as (
    select
        line_id,
        ends_on,
        known_from,
        known_to
    from ended_alone
    union all
    select
        line_id,
        term_end as ends_on,
        known_from,
        known_to
    from lines
    where term_end is not null and not is_auto_renew
),

-- An add-on bound to a version ends with it.
ended_with_version as (
    select
        lines.line_id,
        versions_end.ends_on,
        'version_ended' as end_reason,
        cast(null as varchar) as next_line_id,
        greatest(lines.known_from, versions_end.known_from) as known_from,
        least(lines.known_to, versions_end.known_to) as known_to
    from lines
    inner join versions_end
        on
            lines.bound_to_line_id = versions_end.line_id
            and {{ is_known_together('lines', 'versions_end') }}
    where
        lines.is_auto_renew
        or lines.term_end is null
        or versions_end.ends_on < lines.term_end
),

ended as (
    select * from ended_alone
    where known_to is null or known_to > known_from
    union all
    select * from ended_with_version
    where known_to is null or known_to > known_from
)

select distinct * from ended
