with

customers_at_dates as (
    select * from {{ ref('int_customers_at_dates') }}
),

customers_resolved as (
    select * from {{ ref('int_customers_resolved') }}
),

onboarding_steps as (
    select * from {{ ref('stg_crm__onboarding_steps') }}
),

services as (
    select * from {{ ref('stg_orders__services') }}
),

order_lines as (
    select * from {{ ref('int_order_lines_adjusted') }}
),

orders as (
    select * from {{ ref('int_orders_adjusted') }}
),

contract_lines as (
    select * from {{ ref('int_contract_lines_priced') }}
    where not is_trial
),

signal_dates as (
    select * from {{ ref('int_signal_dates') }}
),

steps_dated as (
    select
        *,
        {{ company_date('started_at') }} as started_on,
        {{ company_date('done_at') }} as done_on,
        {{ company_date('accepted_at') }} as accepted_on
    from onboarding_steps
),

-- Plans are descriptions; that a step was begun, done or accepted counts from its own moment.
steps as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        steps_dated.round_no,
        steps_dated.step,
        steps_dated.order_id,
        steps_dated.due_on,
        steps_dated.target_days,
        signal_dates.as_of_date,
        signal_dates.known_on,
        case
            when steps_dated.started_on <= signal_dates.as_of_date then steps_dated.started_on
        end as started_on,
        case
            when steps_dated.done_on <= signal_dates.as_of_date then steps_dated.done_on
        end as done_on,
        case
            when steps_dated.accepted_on <= signal_dates.as_of_date then steps_dated.accepted_on
        end as accepted_on
    from steps_dated
    inner join customers_resolved on steps_dated.customer_id = customers_resolved.customer_id
    inner join signal_dates
        on
            {{ is_described_at('steps_dated', 'signal_dates.known_until') }}
            and {{ is_there_at('steps_dated', 'signal_dates.known_until') }}
),

rounds as (
    select
        customer_id,
        round_no,
        as_of_date,
        known_on,
        max(order_id) as order_id,
        min(started_on) as started_on,
        max(accepted_on) as last_accepted_on,
        max(case when step = '{{ var("go_live_step") }}' then done_on end) as went_live_on
    from steps
    group by customer_id, round_no, as_of_date, known_on
),

-- Trials do not start the clock.
opened_services as (
    select
        customers_resolved.resolved_customer_id as customer_id,
        order_lines.order_id,
        services.starts_on,
        signal_dates.as_of_date,
        signal_dates.known_on
    from services
    inner join customers_resolved on services.customer_id = customers_resolved.customer_id
    inner join signal_dates on {{ is_known_at('services', 'signal_dates.known_until') }}
    left join order_lines
        on
            services.order_line_id = order_lines.order_line_id
            and {{ is_known_at('order_lines', 'signal_dates.known_until') }}
    left join orders
        on
            order_lines.order_id = orders.order_id
            and {{ is_known_at('orders', 'signal_dates.known_until') }}
    where
        services.starts_on is not null
        and services.state in ('active', 'terminated')
        and coalesce(orders.kind, 'formal') != 'trial'
),

paid_terms as (
    select
        contract_lines.customer_id,
        contract_lines.order_id,
        contract_lines.term_start,
        signal_dates.as_of_date,
        signal_dates.known_on
    from contract_lines
    inner join signal_dates on {{ is_known_at('contract_lines', 'signal_dates.known_until') }}
),

starts as (
    select
        customer_id,
        as_of_date,
        known_on,
        order_id,
        starts_on as service_starts_on,
        null as term_start
    from opened_services
    union all
    select
        customer_id,
        as_of_date,
        known_on,
        order_id,
        null as service_starts_on,
        term_start
    from paid_terms
),

first_starts as (
    select
        customer_id,
        as_of_date,
        known_on,
        min(service_starts_on) as service_starts_on,
        min(term_start) as term_start
    from starts
    group by customer_id, as_of_date, known_on
),

order_starts as (
    select
        customer_id,
        as_of_date,
        known_on,
        order_id,
        min(service_starts_on) as service_starts_on,
        min(term_start) as term_start
    from starts
    where order_id is not null
    group by customer_id, as_of_date, known_on, order_id
),

-- The first round needs no steps; later rounds are known by theirs.
numbered as (
    select
        customer_id,
        round_no,
        as_of_date,
        known_on
    from rounds
    union
    select
        customer_id,
        1 as round_no,
        as_of_date,
        known_on
    from first_starts
),

timed as (
    select
        numbered.customer_id,
        numbered.round_no,
        numbered.as_of_date,
        numbered.known_on,
        rounds.started_on,
        coalesce(
            order_starts.service_starts_on,
            order_starts.term_start,
            case
                when numbered.round_no = 1
                    then coalesce(first_starts.service_starts_on, first_starts.term_start)
            end
        ) as bought_from,
        rounds.last_accepted_on,
        rounds.went_live_on
    from numbered
    inner join customers_at_dates
        on
            numbered.customer_id = customers_at_dates.customer_id
            and numbered.as_of_date = customers_at_dates.as_of_date
            and numbered.known_on = customers_at_dates.known_on
    left join rounds
        on
            numbered.customer_id = rounds.customer_id
            and numbered.round_no = rounds.round_no
            and numbered.as_of_date = rounds.as_of_date
            and numbered.known_on = rounds.known_on
    left join first_starts
        on
            numbered.customer_id = first_starts.customer_id
            and numbered.as_of_date = first_starts.as_of_date
            and numbered.known_on = first_starts.known_on
    left join order_starts
        on
            rounds.customer_id = order_starts.customer_id
            and rounds.as_of_date = order_starts.as_of_date
            and rounds.known_on = order_starts.known_on
            and rounds.order_id = order_starts.order_id
),

clocked as (
    select
        customer_id,
        round_no,
        as_of_date,
        known_on,
        coalesce(started_on, bought_from) as round_start_date,
        coalesce(last_accepted_on, went_live_on, bought_from) as clock_date
    from timed
),

finished_steps as (
    select
        steps.customer_id,
        steps.round_no,
        steps.as_of_date,
        steps.known_on,
        steps.started_on,
        coalesce(steps.done_on, steps.accepted_on) as done_on,
        coalesce(
            steps.due_on,
            {{ add_days('cast(steps.target_days as integer)', 'clocked.round_start_date') }}
        ) as due_on,
        {{ add_days(var('first_value_days'), 'clocked.clock_date') }} as judged_on
    from steps
    inner join clocked
        on
            steps.customer_id = clocked.customer_id
            and steps.round_no = clocked.round_no
            and steps.as_of_date = clocked.as_of_date
            and steps.known_on = clocked.known_on
),

finished_judged as (
    select
        *,
        due_on < judged_on
        and judged_on <= as_of_date
        and (done_on is null or done_on > judged_on) as is_overdue_when_judged
    from finished_steps
),

step_counts as (
    select
        customer_id,
        round_no,
        as_of_date,
        known_on,
        count(*) as step_count,
        sum(case when started_on is not null or done_on is not null then 1 else 0 end)
            as begun_count,
        sum(case when done_on is not null then 1 else 0 end) as done_count,
        sum(case when due_on <= as_of_date then 1 else 0 end) as due_count,
        sum(case when due_on <= as_of_date and done_on <= due_on then 1 else 0 end)
            as on_time_count,
        sum(case when due_on < as_of_date and done_on is null then 1 else 0 end) as overdue_count,
        sum(case when is_overdue_when_judged then 1 else 0 end) as overdue_when_judged_count
    from finished_judged
    group by customer_id, round_no, as_of_date, known_on
),

joined as (
    select
        clocked.customer_id,
        clocked.round_no,
        clocked.as_of_date,
        clocked.known_on,
        clocked.round_start_date,
        clocked.clock_date,
        coalesce(step_counts.step_count, 0) as step_count,
        coalesce(step_counts.begun_count, 0) as begun_count,
        coalesce(step_counts.done_count, 0) as done_count,
        coalesce(step_counts.due_count, 0) as due_count,
        coalesce(step_counts.on_time_count, 0) as on_time_count,
        coalesce(step_counts.overdue_count, 0) as overdue_count,
        coalesce(step_counts.overdue_when_judged_count, 0) as overdue_when_judged_count
    from clocked
    left join step_counts
        on
            clocked.customer_id = step_counts.customer_id
            and clocked.round_no = step_counts.round_no
            and clocked.as_of_date = step_counts.as_of_date
            and clocked.known_on = step_counts.known_on
)

select * from joined
