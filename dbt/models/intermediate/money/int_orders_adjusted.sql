with

versions as (
    {{ adjusted_versions('orders', kept=['ordered_at', 'approved_by', 'approver_role']) }}
),

approvals as (
    select count(approved_at) as approval_count from versions
),

-- A cancelled order without a moment of approval was approved if an earlier version says so, or
-- where no order of this company has such a moment.
orders_adjusted as (
    select
        versions.*,
        versions.approved_at is not null
        or versions.status in ('approved', 'refunded')
        or (
            versions.status = 'cancelled'
            and (
                max(case when versions.status = 'approved' then 1 else 0 end) over (
                    partition by versions.order_id
                    order by versions.known_from
                    rows between unbounded preceding and current row
                ) = 1
                or approvals.approval_count = 0
            )
        ) as is_approved,
        coalesce(
            versions.cancelled_at,
            case when versions.status = 'cancelled' then versions.known_from end
        ) as ended_by_cancelling_at,
        coalesce(
            versions.refunded_at,
            case when versions.status = 'refunded' then versions.known_from end
        ) as ended_by_refund_at
    from versions
    cross join approvals
)

select * from orders_adjusted
