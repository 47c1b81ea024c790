with

tenant_days as (
    select * from {{ ref('int_tenant_days_rolled_up') }}
    where {{ is_known_use() }}
),

accounts as (
    select * from {{ ref('int_use_accounts') }}
),

-- A batch and how it is rolled up decide what it says of a day.
portions as (
    select distinct
        activity_date,
        definition,
        batch_no,
        known_date
    from tenant_days
),

portions_digested as (
    select
        activity_date,
        {{ digest_rows(['activity_date', 'definition', 'batch_no', 'known_date']) }} as digest
    from portions
    group by activity_date
),

-- For the company it matters which use belongs to a customer, not to whom.
customers_digested as (
    select
        tenant_days.activity_date,
        {{ digest_rows([
            'tenant_days.activity_date', 'tenant_days.definition', 'tenant_days.batch_no',
            'tenant_days.known_date', 'tenant_days.tenant_id', 'tenant_days.customer_id'
        ]) }} as digest
    from tenant_days
    inner join accounts
        on
            tenant_days.tenant_id is not distinct from accounts.tenant_id
            and tenant_days.customer_id is not distinct from accounts.named_customer_id
    group by tenant_days.activity_date
),

days as (
    {{ days_between(
        '(select min(portions.activity_date) from portions)', as_of_date()
    ) }}
),

-- What the last 28 days are counted from.
dates as (
    select
        days.calendar_date as activity_date,
        hash(sum(portions_digested.digest) over last_28d) as dates_digest,
        hash(sum(customers_digested.digest) over last_28d) as company_digest
    from days
    left join portions_digested on days.calendar_date = portions_digested.activity_date
    left join customers_digested on days.calendar_date = customers_digested.activity_date
    window last_28d as (order by days.calendar_date rows between 27 preceding and current row)
)

select * from dates
