-- Books that together hold more or fewer customers, or another ARR, than the customers with MRR,
-- and segments of a book that hold more than the book.
with

paying as (
    select
        count(*) as customer_count,
        coalesce(sum(arr), 0) as arr
    from {{ ref('int_customers_cared_for') }}
),

books as (
    select
        coalesce(sum(customer_count), 0) as customer_count,
        coalesce(sum(arr), 0) as arr
    from {{ ref('csm_books') }}
    where segment = 'all'
),

parts as (
    select
        csm_id,
        max(case when segment = 'all' then customer_count end) as whole,
        sum(case when segment != 'all' then customer_count else 0 end) as parts
    from {{ ref('csm_books') }}
    group by csm_id
)

select
    'all books' as csm_id,
    paying.customer_count as expected,
    books.customer_count as found
from paying
cross join books
where paying.customer_count != books.customer_count or abs(paying.arr - books.arr) > 0.01
union all
select
    csm_id,
    whole as expected,
    parts as found
from parts
where parts > whole
