{# Two facts are known together in the overlap of [known_from, known_to); null: known to this day. #}
{% macro is_known_together(one, other) -%}
    ({{ other }}.known_to is null or {{ one }}.known_from < {{ other }}.known_to)
    and ({{ one }}.known_to is null or {{ other }}.known_from < {{ one }}.known_to)
{%- endmacro %}

{# The days until a lost term is lost for good, by the length of the term. A month has at most 31
   days, six months at most 184. #}
{% macro grace_days(whole_months, term_days) -%}
    case
        when {{ whole_months }} <= 1 or ({{ whole_months }} is null and {{ term_days }} <= 31)
            then {{ var('grace_days_monthly') }}
        when {{ whole_months }} <= 6 or ({{ whole_months }} is null and {{ term_days }} <= 184)
            then {{ var('grace_days_half_year') }}
        else {{ var('grace_days_longer') }}
    end
{%- endmacro %}

{# Bounds of the 95 % Wilson interval of a share: hits of n. Null without observations. #}
{% macro wilson(hits, n, bound) -%}
    case
        when {{ n }} > 0
            then (
                {{ hits }} / cast({{ n }} as double) + 1.920729410347062 / {{ n }}
                {{ '-' if bound == 'low' else '+' }} 1.959963984540054 * sqrt(
                    {{ hits }} / cast({{ n }} as double)
                    * (1 - {{ hits }} / cast({{ n }} as double)) / {{ n }}
                    + 0.960364705173531 / (cast({{ n }} as double) * {{ n }})
                )
            ) / (1 + 3.841458820694124 / {{ n }})
    end
{%- endmacro %}
