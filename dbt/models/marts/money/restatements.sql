with

restated as (
    select * from {{ ref('int_measures_restated') }}
),

lines_ranked as (
    select * from {{ ref('int_restated_lines_ranked') }}
),

lines_valued as (
    select * from {{ ref('int_restated_lines_valued') }}
),

lines_corrected as (
    select * from {{ ref('int_contract_lines_corrected') }}
),

rates as (
    select * from {{ ref('int_exchange_rates_dated') }}
),

exchange_rates as (
    select * from {{ ref('stg_finance__exchange_rates') }}
),

currencies_held as (
    select distinct
        restated.month_start,
        restated.measure,
        restated.value_date,
        restated.compared_date,
        restated.closed_at,
        lines_valued.currency
    from restated
    inner join lines_valued
        on
            restated.month_start = lines_valued.month_start
            and restated.measure = lines_valued.measure
),

-- The row learnt after the close that is nearest to the measure. What rates did comes from rates
-- and shows at the closing; movements are valued at the opening's rate.
causes as (
    select
        lines_ranked.month_start,
        lines_ranked.measure,
        lines_ranked.distance,
        lines_corrected.entity_rank,
        lines_corrected.entity,
        lines_corrected.entity_key
    from lines_ranked
    inner join lines_corrected
        on
            lines_ranked.line_id = lines_corrected.line_id
            and lines_ranked.known_after < lines_corrected.learnt_at
    {% for date, distance, distance_from_effect in [
        ('value_date', 4, -2), ('compared_date', 3, -1),
    ] -%}
    union all
    select
        currencies_held.month_start,
        currencies_held.measure,
        case
            when currencies_held.measure = 'currency_effect' then {{ distance_from_effect }}
            else {{ distance }}
        end as distance,
        0 as entity_rank,
        'exchange_rates' as entity,
        rates.currency || ' ' || rates.valid_from as entity_key
    from currencies_held
    inner join rates
        on
            currencies_held.currency = rates.currency
            and currencies_held.{{ date }} >= rates.valid_from
            and currencies_held.{{ date }} < rates.valid_to
    inner join exchange_rates
        on
            rates.currency = exchange_rates.currency
            and rates.valid_from = exchange_rates.rate_date
            and currencies_held.closed_at < exchange_rates.known_from
    {% endfor %}
),

first_causes as (
    select
        month_start,
        measure,
        min_by(entity, (distance, entity_rank, entity_key)) as cause_entity,
        min_by(entity_key, (distance, entity_rank, entity_key)) as cause_key
    from causes
    group by month_start, measure
),

restatements as (
    select
        restated.month_start,
        restated.measure,
        restated.as_closed,
        restated.as_known_now,
        cast(
            coalesce(restated.as_known_now, 0) - coalesce(restated.as_closed, 0)
            as decimal(38, 10)
        ) as delta,
        restated.customer_id as cause_customer_id,
        first_causes.cause_entity,
        first_causes.cause_key
    from restated
    left join first_causes
        on
            restated.month_start = first_causes.month_start
            and restated.measure = first_causes.measure
)

select * from restatements
