{%- set metrics = [
    ['mrr', 'finance', 'Sum of the monthly amounts of terms with term_start <= day < effective_end, in the company currency; a term of n calendar months counts amount / n, any other amount x 365 / (12 x days); after recurring discount, without trials, one-time and free lines.'],
    ['arr', 'finance', '12 x mrr.'],
    ['contracted_arr', 'finance', '12 x mrr of terms approved but not started; beside arr, never in it.'],
    ['new_mrr', 'finance', 'mrr on the last day of the month of customers that had none the month before and never paid before.'],
    ['reactivation_mrr', 'finance', 'mrr of customers that come back after a gap longer than the grace.'],
    ['late_renewal_mrr', 'finance', 'mrr of customers that come back within the grace; reverses the provisional loss.'],
    ['expansion_mrr', 'finance', 'Increase of mrr of customers that paid on both month ends, by cause, at the rate of the opening.'],
    ['contraction_mrr', 'finance', 'Decrease of mrr of customers that paid on both month ends, by cause, at the rate of the opening.'],
    ['churned_mrr', 'finance', 'mrr on the last day of the month before of customers without any now; provisional until the grace has passed.'],
    ['currency_effect', 'finance', 'Change of mrr that comes from exchange rates alone; outside grr and nrr.'],
    ['grr', 'finance', 'Sum of min(mrr at the end, mrr at the start) per customer / sum of mrr at the start, over customers with mrr at the start of the window.'],
    ['nrr', 'finance', 'Sum of mrr at the end / sum of mrr at the start, over customers with mrr at the start of the window.'],
    ['nrr_excluding_returns', 'finance', 'nrr without customers that left and came back inside the window.'],
    ['crr', 'finance', 'Customers with mrr at the end / customers with mrr at the start; with a 95 % Wilson interval.'],
    ['due_arr', 'finance', 'In renewals: arr of the term at its start, due at its contractual end. In customer_360 and warnings: arr tonight of the terms due within due_horizon_months, each once.'],
    ['gross_renewal_rate', 'finance', 'Sum of min(renewed, due) / sum of due of the terms due in a month; final when the grace of all has passed.'],
    ['net_renewal_rate', 'finance', 'Sum of renewed / sum of due of the terms due in a month.'],
    ['overdue_amount', 'finance', 'Amounts of approved orders past their payment date, less what was paid, in the company currency.'],
    ['tenure_days', 'finance', 'Days since the first paid term began.'],
    ['active_user_count_7d', 'product', 'Distinct users with at least one use within 7 days up to the end of the day; exact, never a sum of daily counts.'],
    ['active_user_count_28d', 'product', 'Distinct users with at least one use within 28 days up to the end of the day.'],
    ['wau_mau_ratio', 'product', 'active_user_count_7d / active_user_count_28d.'],
    ['active_day_count_28d', 'product', 'Days with at least one use within 28 days.'],
    ['login_ratio', 'product', 'active_user_count_28d / seats bought; not clipped; null without seats.'],
    ['login_trend_slope', 'product', 'Theil-Sen slope of weekly active users over the last complete weeks, each divided by its working days / 5, relative to their median.'],
    ['core_breadth_ratio', 'product', 'Core features used within 28 days / core features entitled.'],
    ['core_depth_per_week', 'product', 'Core actions per active user and week.'],
    ['usage_level_ratio', 'product', 'Mean weekly active users of the last level_weeks / the larger of the seat target and the best median of best_window_weeks.'],
    ['usage_state', 'product', 'First state that holds in the documented order, seen on confirm_days running; not_customer, trial, unmeasured and not_started switch at once.'],
    ['north_star', 'product', 'Customers with at least north_star_min_actions value actions by at least north_star_min_users users in a week.'],
    ['is_used_without_value', 'product', 'Usage state high or normal, and no north-star week within 28 days.'],
    ['onboarding_status', 'customer success', 'By steps and value of the last round: failed when steps were overdue or no north-star week was reached first_value_days after the clock; the clock is the last accepted step, else go-live, else the first service, else the first term.'],
    ['days_since_our_contact', 'customer success', 'Days since our last outbound interaction or personal message; mass mailings count for one_to_many tiers only; without any, since the first paid day or the first interaction known, whichever is later.'],
    ['days_since_their_contact', 'customer success', 'Days since the last inbound interaction, ticket, survey answer or message of the customer; without any, as for ours.'],
    ['lost_contact', 'customer success', 'Which side has been silent for longer than lost_contact_multiple x the contact plan of the tier.'],
    ['open_ticket_count', 'customer success', 'Tickets opened and not solved by the end of the day; null without tickets connected.'],
    ['ticket_csat_180d', 'customer success', 'Mean mark, 1 to 5, of tickets solved within 180 days.'],
    ['nps', 'customer success', 'Last answer, 0 to 10, within survey_fresh_days.'],
    ['csat', 'customer success', 'Last answer, 1 to 5, within survey_fresh_days.'],
    ['ttfv_days', 'customer success', 'Days from the first onboarding clock to the day on which the condition of the north star is first met within a week; 0 where it was met before the clock.'],
    ['seat_activation_ratio', 'customer success', 'Users with a first login / seats bought; not clipped.'],
    ['proactive_ratio', 'customer success', 'Proactive interactions / proactive and reactive interactions within 90 days; mass mailings are neither.'],
    ['coverage_ratio', 'customer success', 'Customers contacted by us within the contact plan of their tier / customers measured against a plan.'],
    ['nps_share', 'customer success', 'In voice_of_customer: share of answers 9 and 10 less share of 0 to 6, within survey_fresh_days.'],
    ['csat_share', 'customer success', 'In voice_of_customer and support_monthly: share of marks 4 and 5.'],
    ['save_rate', 'customer success', 'Risk playbook runs done without a loss of mrr within save_horizon_days / such runs whose loss would be final.'],
    ['load_ratio', 'customer success', 'Hours a week of tiers, near renewals and open warnings / weekly hours of the csm.'],
    ['icp_fit', 'sales', 'Criteria of the ideal customer met / criteria configured whose column is known.'],
    ['health_score', 'customer success', 'Sum of weight x component score / sum of weight, over measured components; 0 to 100, higher is healthier.'],
    ['health_coverage', 'customer success', 'Weight of measured components / weight of applicable components; under the configured least the band is unknown.'],
    ['churn_probability', 'customer success', 'Probability that mrr falls to at most loss_ratio of tonight within 90 days and is still there at the end of the grace: from the score by rules, shifted to the base rate.'],
    ['expected_saved_arr', 'customer success', 'churn_probability x due_arr x the share of such losses that treatment averts; assumed until enough cases are known.'],
    ['freshness_hours', 'data', 'Hours from the latest event (else from the end of the last day of delivery) to the end of the night.'],
] -%}
with

metric_definitions as (
    {%- for metric, owner, formula in metrics %}
    select
        '{{ metric }}' as metric,
        '{{ formula }}' as formula,
        '1' as version,
        '{{ owner }}' as owner
    {% if not loop.last %}union all{% endif %}
    {%- endfor %}
)

select * from metric_definitions
