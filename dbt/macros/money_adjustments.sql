{# What finance may put right: per entity its key and the columns an adjustment may set, by type. #}
{% macro adjustable_columns() %}
{{ return({
    'orders': {
        'model': 'stg_orders__orders',
        'key': 'order_id',
        'columns': {
            'kind': 'varchar',
            'status': 'varchar',
            'customer_id': 'varchar',
            'currency': 'varchar',
            'originator_role': 'varchar',
            'previous_order_id': 'varchar',
            'payment_due_on': 'date',
            'signed_at': 'timestamptz',
            'approved_at': 'timestamptz',
            'cancelled_at': 'timestamptz',
            'refunded_at': 'timestamptz',
        },
    },
    'order_lines': {
        'model': 'stg_orders__order_lines',
        'key': 'order_line_id',
        'columns': {
            'product_id': 'varchar',
            'replaces_order_line_id': 'varchar',
            'bound_to_order_line_id': 'varchar',
            'quantity': 'decimal(20, 6)',
            'unit_price': 'decimal(20, 6)',
            'discount_amount': 'decimal(20, 6)',
            'amount': 'decimal(20, 6)',
            'term_start': 'date',
            'term_end': 'date',
            'is_auto_renew': 'boolean',
            'non_renewal_noted_at': 'timestamptz',
            'cancelled_at': 'timestamptz',
        },
    },
    'subscriptions': {
        'model': 'stg_orders__subscriptions',
        'key': 'subscription_id',
        'columns': {
            'customer_id': 'varchar',
            'product_id': 'varchar',
            'previous_subscription_id': 'varchar',
            'currency': 'varchar',
            'unit': 'varchar',
            'mrr': 'decimal(20, 6)',
            'amount': 'decimal(20, 6)',
            'quantity': 'decimal(20, 6)',
            'discount_ratio': 'decimal(20, 6)',
            'term_start': 'date',
            'term_end': 'date',
            'is_trial': 'boolean',
            'is_auto_renew': 'boolean',
            'booked_at': 'timestamptz',
            'cancelled_at': 'timestamptz',
            'non_renewal_noted_at': 'timestamptz',
        },
    },
}) }}
{% endmacro %}

{# The versions of an entity with finance's adjustments in place of what was delivered: the only
   place where they are applied. An adjustment holds from the moment it was known until it is
   changed or withdrawn; a version known across that moment becomes two. `kept` are the columns
   beside the adjustable ones. #}
{% macro adjusted_versions(entity, kept) -%}
{%- set place = adjustable_columns()[entity] -%}
{%- set key = place.key -%}
with

versions as (
    select * from {{ ref(place.model) }}
),

adjustments as (
    select
        *,
        least(known_to, vanished_at) as holds_to
    from {{ ref('stg_finance__adjustments') }}
    where entity = '{{ entity }}'
),

starts as (
    select
        {{ key }},
        known_from as version_from,
        known_from as piece_from
    from versions
    {% for moment in ['known_from', 'holds_to'] %}
    union
    select
        versions.{{ key }},
        versions.known_from as version_from,
        adjustments.{{ moment }} as piece_from
    from versions
    inner join adjustments on versions.{{ key }} = adjustments.entity_key
    where
        adjustments.{{ moment }} > versions.known_from
        and (versions.known_to is null or adjustments.{{ moment }} < versions.known_to)
    {% endfor %}
),

pieces as (
    select
        *,
        lead(piece_from) over (partition by {{ key }}, version_from order by piece_from)
            as next_piece_from
    from starts
),

-- The last one that can be read counts.
adjusted as (
    select
        pieces.{{ key }},
        pieces.piece_from
        {%- for column, type in place.columns.items() %},
        max_by(
            try_cast(adjustments.value as {{ type }}),
            (adjustments.dated_on, adjustments.adjustment_id)
        ) filter (
            where
            adjustments."column" = '{{ column }}'
            and try_cast(adjustments.value as {{ type }}) is not null
        ) as {{ column }}
        {%- endfor %}
    from pieces
    inner join adjustments
        on
            pieces.{{ key }} = adjustments.entity_key
            and adjustments.known_from <= pieces.piece_from
            and (adjustments.holds_to is null or adjustments.holds_to > pieces.piece_from)
    group by pieces.{{ key }}, pieces.piece_from
),

versions_adjusted as (
    select
        versions.{{ key }},
        {%- for column in kept %}
        versions.{{ column }},
        {%- endfor %}
        versions.vanished_at
        {%- for column in place.columns %},
        coalesce(adjusted.{{ column }}, versions.{{ column }}) as {{ column }}
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
