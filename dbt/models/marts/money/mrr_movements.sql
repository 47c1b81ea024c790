with

products_changed as (
    select * from {{ ref('int_products_mrr_changed') }}
),

runs as (
    select * from {{ ref('int_customers_paid_runs') }}
    where measure = 'mrr'
),

terms as (
    select * from {{ ref('subscription_terms') }}
    where contract_mrr > 0
),

customers_changed as (
    select
        customer_id,
        month_start,
        max(closing_date) as closing_date,
        sum(opening_mrr) as opening_mrr,
        sum(closing_mrr) as closing_mrr,
        sum(amount) as amount,
        sum(opening_contract_mrr) > 0 as had_mrr,
        sum(closing_contract_mrr) > 0 as has_mrr,
        max(case when is_rate_missing then 1 else 0 end) = 1 as is_rate_missing
    from products_changed
    group by customer_id, month_start
),

-- The first run that begins after the opening tells how long the customer had been away.
returns as (
    select
        customers_changed.customer_id,
        customers_changed.month_start,
        min_by(runs.previous_run_end, runs.run_start) as previous_run_end,
        min_by(
            case
                when runs.previous_run_end is null then 'new'
                when
                    runs.run_start
                    <= {{ add_days('runs.previous_grace_days', 'runs.previous_run_end') }}
                    then 'late_renewal'
                else 'reactivation'
            end,
            runs.run_start
        ) as kind
    from customers_changed
    inner join runs
        on
            customers_changed.customer_id = runs.customer_id
            and runs.run_start between customers_changed.month_start
            and customers_changed.closing_date
    where not customers_changed.had_mrr
    group by customers_changed.customer_id, customers_changed.month_start
),

losses as (
    select
        customers_changed.customer_id,
        customers_changed.month_start,
        max_by(
            runs.grace_end > {{ as_of_date() }}
            and (runs.next_run_start is null or runs.next_run_start > {{ as_of_date() }}),
            runs.run_end
        ) as is_provisional
    from customers_changed
    inner join runs
        on
            customers_changed.customer_id = runs.customer_id
            and runs.run_end between customers_changed.month_start
            and customers_changed.closing_date
    where not customers_changed.has_mrr
    group by customers_changed.customer_id, customers_changed.month_start
),

-- What a customer without a rate for all it holds changed is unknown: no kind of its own, what is
-- in the totals moves by the rates. Two lines of 1,000 for one of 2,000 are no change.
decided as (
    select
        customers_changed.*,
        case
            when not customers_changed.had_mrr then coalesce(returns.kind, 'new')
            when not customers_changed.has_mrr then 'churn'
            when customers_changed.is_rate_missing then null
            when round(customers_changed.amount, 6) > 0 then 'expansion'
            when round(customers_changed.amount, 6) < 0 then 'contraction'
        end as kind,
        coalesce(losses.is_provisional, false) as is_provisional
    from customers_changed
    left join returns
        on
            customers_changed.customer_id = returns.customer_id
            and customers_changed.month_start = returns.month_start
    left join losses
        on
            customers_changed.customer_id = losses.customer_id
            and customers_changed.month_start = losses.month_start
),

products_decided as (
    select
        products_changed.*,
        decided.kind,
        decided.is_provisional,
        case
            when products_changed.product_kind in ('addon_bound', 'addon_independent') then 'addon'
            when products_changed.product_kind = 'version' then 'version'
            else 'unknown'
        end as product_role,
        case
            when products_changed.opening_contract_mrr = 0 then 'came'
            when products_changed.closing_contract_mrr = 0 then 'left'
            else 'stayed'
        end as presence
    from products_changed
    inner join decided
        on
            products_changed.customer_id = decided.customer_id
            and products_changed.month_start = decided.month_start
    where decided.kind is not null
),

-- A product of unknown kind that comes while another leaves is a change of version, else an add-on.
swaps as (
    select
        *,
        max(case when product_role != 'addon' and presence = 'came' then 1 else 0 end) over (
            partition by customer_id, month_start
        ) as has_version_come,
        max(case when product_role != 'addon' and presence = 'left' then 1 else 0 end) over (
            partition by customer_id, month_start
        ) as has_version_left,
        sum(
            case when product_role != 'addon' and presence != 'stayed' then amount else 0 end
        ) over (partition by customer_id, month_start) as swap_amount
    from products_decided
),

products_parted as (
    select
        *,
        case
            when
                product_role = 'version'
                or (product_role = 'unknown' and has_version_come = 1 and has_version_left = 1)
                then case when swap_amount < 0 then 'version_downgrade' else 'version_upgrade' end
            when presence = 'came' then 'addon_added'
            else 'addon_removed'
        end as product_cause,
        cast(case
            when presence = 'stayed' and closing_quantity != opening_quantity
                then coalesce(
                    {{ divide_money(
                        'opening_contract_mrr * (closing_quantity - opening_quantity)',
                        'opening_quantity'
                    ) }} * rate,
                    0
                )
            else 0
        end as decimal(38, 10)) as quantity_amount,
        cast(case
            when presence = 'stayed'
                then rate * (
                    coalesce(
                        {{ divide_money(
                            'opening_discount_mrr * cast(closing_quantity as decimal(20, 6))',
                            'opening_quantity'
                        ) }},
                        opening_discount_mrr
                    ) - closing_discount_mrr
                )
            else 0
        end as decimal(38, 10)) as discount_amount
    from swaps
),

-- Of a product that stayed: what more units, and another discount, did; the rest is the price.
stayed_parts as (
    {% set causes = {
        'quantity': 'quantity_amount',
        'discount': 'discount_amount',
        'price': 'amount - quantity_amount - discount_amount',
    } -%}
    {% for cause, amount in causes.items() -%}
    select
        customer_id,
        month_start,
        kind,
        '{{ cause }}' as cause,
        {{ amount }} as amount,
        is_provisional
    from products_parted
    where kind in ('expansion', 'contraction') and presence = 'stayed'
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

parts as (
    select * from stayed_parts
    union all
    select
        customer_id,
        month_start,
        kind,
        case when kind in ('expansion', 'contraction') then product_cause else 'none' end as cause,
        amount,
        is_provisional
    from products_parted
    where kind not in ('expansion', 'contraction') or presence != 'stayed'
    union all
    select
        customer_id,
        month_start,
        'currency' as kind,
        'none' as cause,
        cast(
            closing_mrr - opening_mrr - case when kind is null then 0 else amount end
            as decimal(38, 10)
        ) as amount,
        false as is_provisional
    from decided
),

summed as (
    select
        customer_id,
        month_start,
        kind,
        cause,
        cast(sum(amount) as decimal(38, 10)) as amount,
        max(case when is_provisional then 1 else 0 end) = 1 as is_provisional
    from parts
    group by customer_id, month_start, kind, cause
),

starting_roles as (
    select
        customer_id,
        {{ month_start('term_start') }} as month_start,
        max_by(originator_role, (term_start, term_id)) as originator_role
    from terms
    where originator_role is not null
    group by customer_id, {{ month_start('term_start') }}
),

ending_roles as (
    select
        customer_id,
        {{ month_start('effective_end') }} as month_start,
        max_by(originator_role, (effective_end, term_id)) as originator_role
    from terms
    where originator_role is not null and effective_end is not null
    group by customer_id, {{ month_start('effective_end') }}
),

mrr_movements as (
    select
        summed.customer_id,
        summed.month_start,
        summed.kind,
        summed.cause,
        summed.amount,
        summed.is_provisional,
        case
            when summed.kind != 'currency'
                then coalesce(starting_roles.originator_role, ending_roles.originator_role)
        end as originator_role
    from summed
    left join starting_roles
        on
            summed.customer_id = starting_roles.customer_id
            and summed.month_start = starting_roles.month_start
    left join ending_roles
        on
            summed.customer_id = ending_roles.customer_id
            and summed.month_start = ending_roles.month_start
    where round(summed.amount, 6) != 0
)

select * from mrr_movements
