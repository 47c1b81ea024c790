with

cared_for as (
    select * from {{ ref('int_customers_cared_for') }}
),

ownerships as (
    select * from {{ ref('int_ownerships_at_dates') }}
),

customers_described as (
    select * from {{ ref('int_customers_described') }}
    where known_to is null
),

capacity as (
    select * from {{ ref('csm_capacity') }}
),

employees as (
    {{ current_rows(ref('stg_crm__employees')) }}
),

coverage as (
    select * from {{ ref('contact_coverage') }}
),

renewals as (
    select * from {{ ref('renewals') }}
    where outcome = 'open'
),

playbook_runs as (
    select * from {{ ref('playbook_responses') }}
),

health_scores as (
    select * from {{ ref('health_scores') }}
),

churn_warnings as (
    select * from {{ ref('churn_warnings') }}
    where status in ('opened', 'ongoing')
),

night as (
    select * from {{ ref('stg_ingest__night') }}
),

due as (
    select
        renewals.customer_id,
        sum(renewals.due_arr) as due_arr_90d
    from renewals
    inner join night
        on
            renewals.due_date > night.as_of_date
            and {{ elapsed_days('night.as_of_date', 'renewals.due_date') }} <= 90
    group by renewals.customer_id
),

runs_due as (
    select
        playbook_runs.customer_id,
        count(*) as due_run_count,
        {{ count_when('playbook_runs.done_on <= playbook_runs.due_on') }} as on_time_run_count
    from playbook_runs
    inner join night
        on
            playbook_runs.due_on < night.as_of_date
            and {{ elapsed_days('playbook_runs.due_on', 'night.as_of_date') }} <= 90
    group by playbook_runs.customer_id
),

-- Who is in the grace of a renewal pays nothing and is in no book, and is called all the same.
hours_asked as (
    select
        coalesce(csm_on_paper_id, 'unassigned') as csm_id,
        segment,
        used_hours as hours
    from cared_for
    union all
    select
        coalesce(ownerships.csm_on_paper_id, 'unassigned') as csm_id,
        customers_described.segment,
        cast({{ var('hours_per_warning') }} as decimal(38, 10)) as hours
    from churn_warnings
    cross join night
    left join ownerships
        on
            churn_warnings.customer_id = ownerships.customer_id
            and night.as_of_date = ownerships.as_of_date
            and night.as_of_date = ownerships.known_on
    left join customers_described
        on churn_warnings.customer_id = customers_described.customer_id
),

loads as (
    select
        csm_id,
        'all' as segment,
        sum(hours) as load_hours
    from hours_asked
    group by csm_id
    union all
    select
        csm_id,
        segment,
        sum(hours) as load_hours
    from hours_asked
    where segment is not null
    group by csm_id, segment
),

-- Who has left keeps the book on paper until somebody takes it over: its customers are orphaned.
customers as (
    select
        coalesce(cared_for.csm_on_paper_id, 'unassigned') as csm_id,
        cared_for.segment,
        cared_for.customer_id,
        cared_for.arr,
        due.due_arr_90d,
        case when health_scores.health_band = 'red' then cared_for.arr else 0 end as at_risk_arr,
        health_scores.customer_id is not null as is_scored,
        coverage.is_covered,
        coverage.has_owner,
        coverage.moded_contact_count_90d,
        coverage.proactive_count_90d,
        runs_due.due_run_count,
        runs_due.on_time_run_count
    from cared_for
    cross join night
    left join due on cared_for.customer_id = due.customer_id
    left join coverage on cared_for.customer_id = coverage.customer_id
    left join runs_due on cared_for.customer_id = runs_due.customer_id
    left join health_scores
        on
            cared_for.customer_id = health_scores.customer_id
            and night.as_of_date = health_scores.as_of_date
),

grouped as (
    select
        customers.csm_id as book_id,
        'all' as book_segment,
        customers.*
    from customers
    union all
    select
        customers.csm_id as book_id,
        customers.segment as book_segment,
        customers.*
    from customers
    where customers.segment is not null
),

counted as (
    select
        book_id as csm_id,
        book_segment as segment,
        count(*) as customer_count,
        sum(arr) as arr,
        sum(coalesce(due_arr_90d, 0)) as due_arr_90d,
        case when max(case when is_scored then 1 end) = 1 then sum(at_risk_arr) end as at_risk_arr,
        count(is_covered) as coverage_count,
        {{ count_when('is_covered') }} as covered_count,
        sum(case when has_owner is not null then case when has_owner then 0 else 1 end end)
            as orphaned_customer_count,
        sum(moded_contact_count_90d) as moded_contact_count_90d,
        sum(proactive_count_90d) as proactive_count_90d,
        sum(due_run_count) as due_run_count,
        sum(on_time_run_count) as on_time_run_count
    from grouped
    group by book_id, book_segment
),

-- A CSM without any customer has an empty book.
books as (
    select
        csm_id,
        segment
    from counted
    union
    select
        csm_id,
        segment
    from loads
    union
    select
        csm_id,
        'all' as segment
    from capacity
),

csm_books as (
    select
        books.csm_id,
        books.segment,
        employees.name as csm_name,
        employees.role,
        cast(coalesce(counted.customer_count, 0) as bigint) as customer_count,
        cast(coalesce(counted.arr, 0) as decimal(38, 10)) as arr,
        {{ divide_money('counted.arr', 'counted.customer_count') }} as average_arr,
        cast(coalesce(counted.due_arr_90d, 0) as decimal(38, 10)) as due_arr_90d,
        cast(counted.at_risk_arr as decimal(38, 10)) as at_risk_arr,
        {{ divide('coalesce(loads.load_hours, 0)', 'capacity.weekly_hours', 'double') }}
            as load_ratio,
        case
            when books.segment = 'all' and capacity.hours_left is not null
                then
                    cast(
                        floor(greatest(capacity.hours_left, 0) / {{ var('hours_per_warning') }})
                        as bigint
                    )
        end as warning_budget,
        cast(coalesce(counted.coverage_count, 0) as bigint) as coverage_count,
        {{ divide('counted.covered_count', 'counted.coverage_count', 'double') }}
            as coverage_ratio,
        cast(counted.orphaned_customer_count as bigint) as orphaned_customer_count,
        cast(counted.moded_contact_count_90d as bigint) as moded_contact_count_90d,
        {{ divide('counted.proactive_count_90d', 'counted.moded_contact_count_90d', 'double') }}
            as proactive_ratio,
        cast(coalesce(counted.due_run_count, 0) as bigint) as due_run_count,
        {{ divide('counted.on_time_run_count', 'counted.due_run_count', 'double') }}
            as on_time_ratio
    from books
    left join counted on books.csm_id = counted.csm_id and books.segment = counted.segment
    left join loads on books.csm_id = loads.csm_id and books.segment = loads.segment
    left join capacity on books.csm_id = capacity.csm_id
    left join employees on books.csm_id = employees.employee_id
)

select * from csm_books
