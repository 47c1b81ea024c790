{# The night stands in a one-row relation, not in a var: compiled SQL does not depend on the date. #}
{% macro as_of_date() -%}
    (select night.as_of_date from {{ ref('stg_ingest__night') }} as night)
{%- endmacro %}

{% macro as_of_end() -%}
    (select night.as_of_end from {{ ref('stg_ingest__night') }} as night)
{%- endmacro %}

{% macro previous_night() -%}
    (select night.previous_night from {{ ref('stg_ingest__night') }} as night)
{%- endmacro %}

{# The day on which a moment falls in the company's zone. #}
{% macro company_date(moment) -%}
    cast(timezone('{{ var("company_zone") }}', {{ moment }}) as date)
{%- endmacro %}

{# The quarter of an hour in which a moment falls, counted from 1970, and its beginning: within one,
   the day is the same in every zone. #}
{% macro quarter_hour(moment) -%}
    cast(floor(epoch_us({{ moment }}) / 900000000) as bigint)
{%- endmacro %}

{% macro quarter_hour_start(quarter) -%}
    make_timestamptz({{ quarter }} * 900000000)
{%- endmacro %}

{# What the clock of the company's zone shows at a moment. #}
{% macro company_time(moment) -%}
    timezone('{{ var("company_zone") }}', {{ moment }})
{%- endmacro %}

{# The last instant of a day in the company's zone. #}
{% macro day_end(day) -%}
    timezone('{{ var("company_zone") }}', cast({{ dbt.dateadd('day', 1, day) }} as timestamp))
    - interval 1 microsecond
{%- endmacro %}

{# The first instant of a day in the company's zone. #}
{% macro day_start(day) -%}
    timezone('{{ var("company_zone") }}', cast({{ day }} as timestamp))
{%- endmacro %}
