{# The versions of an entity with finance's adjustments in place of what was delivered: the only
   place where they are applied. An adjustment holds from the moment it was known; a version known
   across that moment becomes two. `columns` may be adjusted (with their types), `kept` may not. #}
{% macro adjusted_versions(relation, entity, key, kept, columns) -%}
with

versions as (
    select * from {{ relation }}
),

adjustments as (
    select * from {{ ref('stg_finance__adjustments') }}
    where entity = '{{ entity }}' and known_to is null
),

starts as (
    select
        {{ key }},
        known_from as version_from,
        known_from as piece_from
    from versions
    union
    select
        versions.{{ key }},
        versions.known_from as version_from,
        adjustments.known_from as piece_from
    from versions
    inner join adjustments on versions.{{ key }} = adjustments.entity_key
    where
        adjustments.known_from > versions.known_from
        and (versions.known_to is null or adjustments.known_from < versions.known_to)
),

pieces as (
    select
        *,
        lead(piece_from) over (partition by {{ key }}, version_from order by piece_from)
            as next_piece_from
    from starts
),

adjusted as (
    select
        pieces.{{ key }},
        pieces.piece_from
        {%- for column in columns %},
        max_by(
            adjustments.value, (adjustments.dated_on, adjustments.adjustment_id)
        ) filter (where adjustments."column" = '{{ column }}') as {{ column }}
        {%- endfor %}
    from pieces
    inner join adjustments
        on
            pieces.{{ key }} = adjustments.entity_key
            and adjustments.known_from <= pieces.piece_from
    group by pieces.{{ key }}, pieces.piece_from
),

versions_adjusted as (
    select
        versions.{{ key }},
        {%- for column in kept %}
        versions.{{ column }},
        {%- endfor %}
        versions.vanished_at
        {%- for column, type in columns.items() %},
        coalesce(try_cast(adjusted.{{ column }} as {{ type }}), versions.{{ column }})
            as {{ column }}
        {%- endfor %},
        pieces.piece_from as known_from,
        coalesce(pieces.next_piece_from, versions.known_to) as known_to
    from versions
    inner join pieces
        on
            versions.{{ key }} = pieces.{{ key }}
            and versions.known_from = pieces.version_from
    left join adjusted
        on
            pieces.{{ key }} = adjusted.{{ key }}
            and pieces.piece_from = adjusted.piece_from
)

select * from versions_adjusted
{%- endmacro %}
