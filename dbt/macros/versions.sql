{# Every version of a keyed entity that is known tonight: one row per key and version.

   Versions are ordered by what the source says of itself (its update time or delivery date, then
   the batch and file), never by arrival: a late older file does not become the newest. A version
   holds in [known_from, known_to); the newest has no known_to. vanished_at closes a version whose
   key a later full delivery of the same source no longer had; a key that comes back opens a new
   version. Identical consecutive versions are one. described_from dates a description: one that
   came with the entity's first load is carried back to the company's start (it has no history). #}
{% macro versions_of(entity, key) -%}
{%- set keys = key | join(', ') -%}
with

batches as (
    select
        batch_id,
        batch_order,
        known_at,
        is_first_load,
        min(
            case when delivery = 'full' and known_at <= {{ as_of_end() }} then batch_order end
        ) over (
            partition by source
            order by batch_order
            range between 1 following and unbounded following
        ) as next_full_order
    from {{ source('raw', 'batches') }}
    where entity = '{{ entity }}'
),

full_batches as (
    select
        source,
        batch_order,
        min(known_at) as known_at
    from {{ source('raw', 'batches') }}
    where entity = '{{ entity }}' and delivery = 'full'
    group by source, batch_order
),

admitted as (
    select
        entity_rows.*,
        batches.batch_order,
        batches.next_full_order,
        batches.known_at as landed_at,
        case when batches.is_first_load then 1 else 0 end as is_first_load
    from {{ source('raw', entity) }} as entity_rows
    inner join batches on entity_rows._batch_id = batches.batch_id
    where entity_rows._known_at <= {{ as_of_end() }}
),

ordered as (
    select
        *,
        lead(batch_order) over (
            partition by {{ keys }}, _source
            order by batch_order, _version_at nulls first, _file_name, _row_hash
        ) as next_seen_order,
        min(_known_at) over (
            partition by {{ keys }}
            order by _version_at nulls first, batch_order, _file_name, _row_hash
            rows between 1 following and unbounded following
        ) as overtaken_at
    from admitted
),

missed as (
    select
        ordered.*,
        case when ordered.next_seen_order is null then 1 else 0 end as is_last_seen,
        case
            when ordered.next_seen_order is null then full_batches.known_at
            when ordered.next_seen_order > ordered.next_full_order then full_batches.known_at
        end as missed_at
    from ordered
    left join full_batches
        on
            ordered._source = full_batches.source
            and ordered.next_full_order = full_batches.batch_order
),

-- A key is gone when every source that had it has delivered without it.
weighed as (
    select
        *,
        max(is_first_load) over (partition by {{ keys }}) as is_key_in_first_load,
        max(case when is_last_seen = 1 and missed_at is null then 1 else 0 end)
            over (partition by {{ keys }}) as is_still_there,
        max(case when is_last_seen = 1 then missed_at end) over (partition by {{ keys }}) as gone_at
    from missed
),

effective as (
    select
        *,
        lag(_row_hash) over (partition by {{ keys }} order by _known_at) as previous_row_hash,
        lag(missed_at) over (partition by {{ keys }} order by _known_at) as previous_missed_at
    from weighed
    where overtaken_at is null or overtaken_at > _known_at
),

changed as (
    select *
    from effective
    where
        previous_row_hash is null
        or previous_row_hash != _row_hash
        or previous_missed_at < _known_at
),

-- The gap that ends a run of identical versions may stand on a row the run swallowed.
gaps as (
    select
        {{ keys }},
        missed_at
    from weighed
    where missed_at is not null and is_last_seen = 0
    group by {{ keys }}, missed_at
),

dated as (
    select
        *,
        lead(_known_at) over (partition by {{ keys }} order by _known_at) as known_to,
        row_number() over (partition by {{ keys }} order by _known_at) as version_no
    from changed
),

closed as (
    select
        {% for column in key %}dated.{{ column }},
        {% endfor %}dated.version_no,
        min(gaps.missed_at) as missed_at
    from dated
    inner join gaps
        on
            {% for column in key %}dated.{{ column }} = gaps.{{ column }}
            and {% endfor %}gaps.missed_at >= dated._known_at
            and gaps.missed_at < dated.known_to
    group by {% for column in key %}dated.{{ column }}, {% endfor %}dated.version_no
),

versions as (
    select
        dated.*,
        dated._known_at as known_from,
        case
            when dated.version_no = 1 and dated.is_key_in_first_load = 1
                then least(
                    dated._known_at, cast('{{ var("company_started_on") }}' as timestamptz)
                )
            else dated._known_at
        end as described_from,
        case
            when dated.known_to is not null then closed.missed_at
            when dated.is_still_there = 0 then dated.gone_at
        end as vanished_at
    from dated
    left join closed
        on
            {% for column in key %}dated.{{ column }} = closed.{{ column }}
            and {% endfor %}dated.version_no = closed.version_no
)

select * from versions
{%- endmacro %}

{# The newest version of every key: what is known tonight. #}
{% macro current_rows(relation) -%}
    select * from {{ relation }} where known_to is null
{%- endmacro %}

{# Is this the version that was known at the moment? A vanished row stays: what happened, happened. #}
{% macro is_known_at(relation, moment) -%}
    {{ relation }}.known_from <= {{ moment }}
    and ({{ relation }}.known_to is null or {{ relation }}.known_to > {{ moment }})
{%- endmacro %}

{# The same for descriptions, which a first load carries back. #}
{% macro is_described_at(relation, moment) -%}
    {{ relation }}.described_from <= {{ moment }}
    and ({{ relation }}.known_to is null or {{ relation }}.known_to > {{ moment }})
{%- endmacro %}

{# Of ownerships that hold on a day, whose the customer is: of who began last, of several since one
   day the first by id. Who has left owns nobody, and hides whom he followed. #}
{% macro latest_owner(ownerships, day) -%}
    nullif(
        min_by(
            case when employees.left_on <= {{ day }} then '' else {{ ownerships }}.employee_id end,
            ({{ elapsed_days(ownerships ~ '.valid_from', day) }}, {{ ownerships }}.employee_id)
        ),
        ''
    )
{%- endmacro %}

{# Relations (an owner, a contact) end when their row vanishes. #}
{% macro is_there_at(relation, moment) -%}
    ({{ relation }}.vanished_at is null or {{ relation }}.vanished_at > {{ moment }})
{%- endmacro %}
