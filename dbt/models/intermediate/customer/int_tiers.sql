{%- for tier in var('tiers') %}
select
    '{{ tier.name | replace("'", "''") }}' as tier,
    cast({{ tier.min_arr }} as decimal(38, 10)) as min_arr,
    '{{ tier.service_mode | replace("'", "''") }}' as service_mode,
    cast({{ tier.contact_plan_days }} as bigint) as plan_days,
    cast({{ tier.hours_per_month }} as decimal(10, 4)) as hours_per_month
{% if not loop.last %}union all{% endif %}
{%- endfor %}
