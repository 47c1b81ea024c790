{# Of the rows of a relation, those that the kept table does not hold yet: all of them at first. #}
{% macro where_not_kept(relation, keys) -%}
    {%- if is_incremental() -%}
    where
        not exists (
            select 1 from {{ this }} as kept
            where
                {% for key in keys -%}
                {{ 'and ' if not loop.first }}kept.{{ key }} = {{ relation }}.{{ key }}
                {% endfor %}
        )
    {%- endif %}
{%- endmacro %}

{# CTEs of the accounts whose use is read to count the rows of `missing`: of customers of whom a date
   is missing that others have (few: one got a tenant, or may use another feature), all use is read;
   of the others, what their dates in `missing_else` look back on. At first all use of everybody is
   read. #}
{% macro accounts_to_read(dates) -%}
    {%- if is_incremental() -%}
customers_stale as (
    select distinct missing.customer_id
    from missing
    inner join (
        select distinct {{ dates | join(', ') }} from {{ this }}
    ) as dates_kept
        on
            {% for date in dates -%}
            {{ 'and ' if not loop.first }}missing.{{ date }} = dates_kept.{{ date }}
            {% endfor %}
),

accounts_stale as (
    select * from {{ ref('int_use_accounts') }}
    where customer_id in (select customers_stale.customer_id from customers_stale)
),

missing_else as (
    select * from missing
    where customer_id not in (select customers_stale.customer_id from customers_stale)
),

accounts_else as (
    select * from {{ ref('int_use_accounts') }}
    where customer_id in (select missing_else.customer_id from missing_else)
),

    {%- endif -%}
{%- endmacro %}

{# The use of these accounts, of a roll-up. #}
{% macro uses_to_read(roll_up, columns, looked_at, condition='true') -%}
    {%- if is_incremental() -%}
    {{ uses_of_customers(roll_up, columns, condition, 'accounts_stale') }}
    union all
    {{ uses_of_customers(roll_up, columns, condition ~ ' and ' ~ looked_at, 'accounts_else') }}
    {%- else -%}
    {{ uses_of_customers(roll_up, columns, condition) }}
    {%- endif -%}
{%- endmacro %}
