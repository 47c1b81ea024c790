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
    select distinct unnest(cast([{{ text_literals(var('core_events')) }}] as varchar[])) as feature
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
