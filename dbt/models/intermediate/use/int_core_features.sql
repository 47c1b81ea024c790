with

features as (
    {{ current_rows(ref('stg_logins__features')) }}
),

marked as (
    select feature
    from features
    where is_core and vanished_at is null
),

configured as (
    {% for event in var('core_events') %}
    select {{ text_literal(event) }} as feature
    {{ 'union' if not loop.last }}
    {% else %}
    select feature from marked where false
    {% endfor %}
),

core_features as (
    select
        feature,
        true as is_marked
    from marked
    union all
    select
        feature,
        false as is_marked
    from configured
    where not exists (select 1 from marked)
)

select * from core_features
