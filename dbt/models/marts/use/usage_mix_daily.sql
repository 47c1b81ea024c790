with

usage_states as (
    select * from {{ ref('usage_states_daily') }}
),

-- On the day a customer starts to pay the state may still be that of the day before: the raw one
-- then tells the group.
grouped as (
    select
        state_date,
        arr,
        {{ is_paying('status') }} as is_paying,
        case
            when status = 'trial' then 'trial'
            when state in ('not_customer', 'trial') then {{ usage_group('raw_state') }}
            else {{ usage_group('state') }}
        end as usage_group
    from usage_states
    where status = 'trial' or {{ is_paying('status') }}
),

counted as (
    select
        state_date,
        usage_group,
        count(*) as customer_count,
        sum(arr) as arr
    from grouped
    group by state_date, usage_group
),

paying as (
    select
        state_date,
        {{ count_when('is_paying') }} as customer_count
    from grouped
    group by state_date
),

usage_groups as (
    {% for name in ['well', 'poor', 'not_started', 'onboarding', 'unmeasured', 'trial'] %}
    select '{{ name }}' as usage_group
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

mix as (
    select
        paying.state_date,
        usage_groups.usage_group,
        cast(coalesce(counted.customer_count, 0) as bigint) as customer_count,
        case
            when usage_groups.usage_group != 'trial'
                then {{ divide(
                    'coalesce(counted.customer_count, 0)', 'paying.customer_count', 'double'
                ) }}
        end as customer_share,
        cast(coalesce(counted.arr, 0) as decimal(38, 10)) as arr
    from paying
    cross join usage_groups
    left join counted
        on
            paying.state_date = counted.state_date
            and usage_groups.usage_group = counted.usage_group
)

select * from mix
