with

customer_months as (
    select * from {{ ref('customer_mrr_monthly') }}
),

movements as (
    select * from {{ ref('mrr_movements') }}
),

renewals as (
    select * from {{ ref('renewals') }}
    where term_class = 'longer'
),

terms as (
    select * from {{ ref('subscription_terms') }}
    where is_paid
),

trials as (
    select * from {{ ref('trial_conversions') }}
),

placed as (
    select
        *,
        row_number() over (
            partition by month_start
            order by mrr desc nulls last, customer_id
        ) as place
    from customer_months
),

months as (
    select
        month_start,
        sum(mrr) as mrr,
        sum(case when place <= 10 then mrr end) as top10_mrr
    from placed
    group by month_start
),

new_monthly as (
    select
        month_start,
        12 * sum(amount) as new_arr
    from movements
    where kind = 'new'
    group by month_start
),

-- Terms shorter than short_term_months are left out: they would count their ARR every month.
renewed_monthly as (
    select
        {{ month_start('outcome_date') }} as month_start,
        sum(renewed_arr) as renewed_arr
    from renewals
    group by {{ month_start('outcome_date') }}
),

originated as (
    select count(originator_role) > 0 as is_originator_known from terms
),

cs_led_monthly as (
    select
        {{ month_start('closed_on') }} as month_start,
        sum(arr) as cs_led_arr
    from terms
    where originator_role = '{{ var("cs_originator") }}' and period_no = 1
    group by {{ month_start('closed_on') }}
),

first_days as (
    select
        customer_id,
        min(term_start) as first_day
    from terms
    where contract_mrr > 0
    group by customer_id
),

-- What the customer landed with: everything that began on its first paid day.
landed as (
    select
        terms.customer_id,
        first_days.first_day,
        case when count(terms.arr) = count(*) then sum(terms.arr) end as landed_arr
    from terms
    inner join first_days
        on terms.customer_id = first_days.customer_id and terms.term_start = first_days.first_day
    where terms.contract_mrr > 0
    group by terms.customer_id, first_days.first_day
),

expanded_monthly as (
    select
        customer_months.month_start,
        {{ divide('12 * sum(customer_months.mrr)', 'sum(landed.landed_arr)', 'double') }}
            as expansion_multiple
    from customer_months
    inner join landed on customer_months.customer_id = landed.customer_id
    where
        customer_months.mrr > 0
        and not customer_months.is_rate_missing
        and landed.landed_arr is not null
        and {{ add_months(12, 'landed.first_day') }}
        <= {{ month_end('customer_months.month_start') }}
    group by customer_months.month_start
),

trials_monthly as (
    select
        {{ month_start('trial_start') }} as month_start,
        case
            when min(case when is_mature then 1 else 0 end) = 1
                then {{ divide('count(case when is_converted then 1 end)', 'count(*)', 'double') }}
        end as trial_conversion,
        count(*) as trial_count
    from trials
    group by {{ month_start('trial_start') }}
),

kpi_monthly as (
    select
        months.month_start,
        cast(months.mrr as decimal(38, 10)) as mrr,
        cast(12 * months.mrr as decimal(38, 10)) as arr,
        cast(coalesce(new_monthly.new_arr, 0) as decimal(38, 10)) as new_arr,
        cast(coalesce(renewed_monthly.renewed_arr, 0) as decimal(38, 10)) as renewed_arr,
        coalesce(renewed_monthly.renewed_arr, 0) > coalesce(new_monthly.new_arr, 0)
            as is_renewed_above_new,
        cast(
            case when originated.is_originator_known then coalesce(cs_led_monthly.cs_led_arr, 0) end
            as decimal(38, 10)
        ) as cs_led_arr,
        {{ divide('months.top10_mrr', 'months.mrr', 'double') }} as top10_arr_share,
        expanded_monthly.expansion_multiple,
        case
            {%- for stage in var('arr_stages') %}
            when round(12 * months.mrr, 2) >= {{ stage.min_arr }}
                then {{ text_literal(stage.name) }}
            {%- endfor %}
        end as stage,
        coalesce(trials_monthly.trial_count, 0) as trial_count,
        trials_monthly.trial_conversion
    from months
    cross join originated
    left join new_monthly on months.month_start = new_monthly.month_start
    left join renewed_monthly on months.month_start = renewed_monthly.month_start
    left join cs_led_monthly on months.month_start = cs_led_monthly.month_start
    left join expanded_monthly on months.month_start = expanded_monthly.month_start
    left join trials_monthly on months.month_start = trials_monthly.month_start
)

select * from kpi_monthly
