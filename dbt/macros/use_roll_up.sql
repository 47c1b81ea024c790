{% macro text_literal(text) -%}
    '{{ text | replace("'", "''") }}'
{%- endmacro %}

{% macro text_literals(texts) -%}
    {%- for text in texts -%}
        {{ text_literal(text) }}{{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Is the event one of this configured group? An empty group has no members. #}
{% macro in_event_group(column, group) -%}
    {%- if var(group) -%}
        {{ column }} in ({{ text_literals(var(group)) }})
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}

{# Those of some events (a query) that are uses: of which feature, on which day, known on which, and
   whether core. What became known after the night's date is among them. An event that is core by its
   name is a feature of that name. To convert a moment to a day costs most here: it is done once for
   every quarter of an hour, and most events are known when they happen. #}
{% macro uses_among(events) -%}
    select
        * exclude (known_date),
        greatest(activity_date, coalesce(known_date, activity_date)) as known_date
    from (
        select
            events.* exclude (feature, known_at),
            coalesce(core_names.feature, events.feature) as feature,
            quarter_hours.activity_date,
            case
                when events.known_at > events.occurred_at then {{ company_date('events.known_at') }}
            end as known_date,
            {% if var('core_events') -%}
            {{ in_event_group('events.event_name', 'core_events') }} as is_core
            {%- else -%}
            marked_features.feature is not null as is_core
            {%- endif %}
        from ({{ events }}) as events
        inner join (
            select
                quarter_hour,
                {{ company_date(quarter_hour_start('quarter_hour')) }} as activity_date
            from (
                select distinct {{ quarter_hour('dated.occurred_at') }} as quarter_hour
                from ({{ events }}) as dated
            ) as quarter_hours_used
        ) as quarter_hours
            on {{ quarter_hour('events.occurred_at') }} = quarter_hours.quarter_hour
        left join {{ ref('int_core_features') }} as core_names
            on events.event_name = core_names.feature and not core_names.is_marked
        left join {{ ref('int_core_features') }} as marked_features
            on events.feature = marked_features.feature and marked_features.is_marked
        where not {{ in_event_group('events.event_name', 'excluded_events') }}
    ) as uses_dated
{%- endmacro %}

{# What was done in some uses: of no use at all, nothing. #}
{% macro count_uses() -%}
    cast(count(uses.occurred_at) as integer) as event_count,
    cast({{ count_when('uses.event_name = ' ~ text_literal(var('login_event'))) }} as integer)
        as login_count,
    cast({{ count_when('uses.is_core') }} as integer) as core_action_count,
    {% if var('value_events') -%}
    cast({{ count_when(in_event_group('uses.event_name', 'value_events')) }} as integer)
    {%- else -%}
    cast({{ count_when('uses.is_core') }} as integer)
    {%- endif %}
        as value_action_count,
    cast({{ count_when(in_event_group('uses.event_name', 'help_events')) }} as integer)
        as help_view_count,
    cast(sum(uses.duration_seconds) as bigint) as duration_seconds
{%- endmacro %}

{# The counts of a roll-up, summed up. #}
{% macro sum_use_counts(relation, type='bigint') -%}
    {%- for count in [
        'event_count', 'login_count', 'core_action_count', 'value_action_count', 'help_view_count'
    ] -%}
    cast(sum({{ relation }}.{{ count }}) as {{ type }}) as {{ count }},
        {% endfor -%}
    cast(sum({{ relation }}.duration_seconds) as bigint) as duration_seconds
{%- endmacro %}

{# Is a row of a roll-up known tonight? No use is known before its day. #}
{% macro is_known_use() -%}
    known_date <= {{ as_of_date() }}
{%- endmacro %}

{# Rows of a roll-up that are known tonight, under the customer of their tenant; the use of a tenant
   that belongs to nobody waits for it: it is known from the day the tenant's customer is. What the
   condition leaves out is not even joined. #}
{% macro uses_of_customers(roll_up, columns, condition=none, accounts=none) -%}
    select
        accounts.customer_id,
        {% for column in columns -%}
        {% if column == 'known_date' -%}
        greatest(rolled_up.known_date, accounts.assigned_on) as known_date
        {%- else -%}
        rolled_up.{{ column }}
        {%- endif %}{{ ',' if not loop.last }}
        {% endfor -%}
    from (
        select * from {{ roll_up }}
        where {{ is_known_use() }} {{ 'and ' ~ condition if condition }}
    ) as rolled_up
    inner join {{ accounts or ref('int_use_accounts') }} as accounts
        on
            rolled_up.tenant_id is not distinct from accounts.tenant_id
            and rolled_up.customer_id is not distinct from accounts.named_customer_id
{%- endmacro %}

{# What a roll-up depends on besides the events: another definition rolls every batch up anew. #}
{% macro use_definition() -%}
    {%- set knobs = [] -%}
    {%- for name in [
        'company_zone', 'core_events', 'value_events', 'help_events', 'excluded_events',
        'login_event'
    ] -%}
        {%- do knobs.append(name ~ '=' ~ tojson(var(name))) -%}
    {%- endfor -%}
    (
        select hash(concat('{{ local_md5(knobs | join(";")) }}', coalesce({{
            dbt.listagg('core_features.feature', "','", 'order by core_features.feature')
        }}, '')))
        from {{ ref('int_core_features') }} as core_features
    )
{%- endmacro %}

{# A short name for a value that changes when the value does. #}
{% macro fingerprint(value) -%}
    {{ local_md5(tojson(value))[:8] }}
{%- endmacro %}

{# Before a roll-up: forget the batches that are no longer active or were rolled up otherwise. #}
{% macro forget_rolled_up_batches(roll_up) -%}
    delete from {{ roll_up }}
    where
        definition != {{ use_definition() }}
        or batch_no not in (
            select batches.batch_no from {{ ref('stg_ingest__batches') }} as batches
            where batches.entity = 'product_events'
        )
{%- endmacro %}

{# Events of batches that are not rolled up yet. #}
{% macro events_to_roll_up() -%}
    select
        *,
        {{ batch_no('batch_id') }} as batch_no
    from {{ ref('stg_logins__product_events') }}
    where batch_id in (select new_batches.batch_id from new_batches)
{%- endmacro %}

{# A batch's number: millions of rows are grouped and kept by it, as a long name costs more there
   than all else. #}
{% macro batch_no(batch_id) -%}
    hash({{ batch_id }})
{%- endmacro %}

{# Batches of events that this roll-up does not hold yet: from the ledger, never "yesterday". #}
{% macro batches_to_roll_up() -%}
    select
        batches.batch_id,
        batches.batch_no
    from {{ ref('stg_ingest__batches') }} as batches
    where
        batches.entity = 'product_events'
        {%- if is_incremental() %}
        and not exists (
            select 1 from {{ this }} as rolled_up where rolled_up.batch_no = batches.batch_no
        )
        {%- endif %}
{%- endmacro %}

{# Names a set of rows: equal for equal rows in any order, another one for other rows. #}
{% macro digest_rows(columns) -%}
    sum(hash({{ columns | join(', ') }}))
{%- endmacro %}

{# What the weeks are counted from: what the last day of each is. #}
{% macro use_weeks_digested() -%}
    select
        cast({{ dbt.date_trunc('week', 'activity_date') }} as date) as week_start,
        max_by(dates_digest, activity_date) as dates_digest
    from {{ ref('int_use_dates_digested') }}
    group by cast({{ dbt.date_trunc('week', 'activity_date') }} as date)
{%- endmacro %}

{# Before a night counts: forget the days that consist of other uses tonight. #}
{% macro forget_counted_dates(counted, digest='dates_digest') -%}
    delete from {{ counted }} as counted
    where
        not exists (
            select 1 from {{ ref('int_use_dates_digested') }} as dates
            where
                dates.activity_date = counted.activity_date
                and dates.{{ digest }} = counted.{{ digest }}
        )
{%- endmacro %}

{# The same for a customer, who may also have other tenants or entitlements tonight. #}
{% macro forget_counted_days(counted) -%}
    {{ forget_counted_dates(counted) }}
    or not exists (
        {{ customer_as_counted() }}
        and customers.first_use_date <= counted.activity_date
    )
{%- endmacro %}

{% macro forget_counted_weeks(counted) -%}
    delete from {{ counted }} as counted
    where
        not exists (
            select 1 from ({{ use_weeks_digested() }}) as weeks
            where
                weeks.week_start = counted.week_start
                and weeks.dates_digest = counted.dates_digest
        )
        or not exists (
            {{ customer_as_counted() }}
            and customers.first_use_date <= {{ plus_days('counted.week_start', 6) }}
        )
{%- endmacro %}

{% macro customer_as_counted() -%}
            select 1 from {{ ref('int_customers_measured') }} as customers
            where
                customers.customer_id = counted.customer_id
                and customers.customer_digest = counted.customer_digest
{%- endmacro %}

{% macro forget_counted_at_dates(counted) -%}
    delete from {{ counted }} as counted
    where
        not exists (
            select 1 from {{ ref('int_use_at_dates_digested') }} as at_dates
            where
                at_dates.customer_id = counted.customer_id
                and at_dates.as_of_date = counted.as_of_date
                and at_dates.known_on = counted.known_on
                and at_dates.digest = counted.digest
        )
{%- endmacro %}
