"""The published tables: name, key, the columns the public contract promises. One entry a table."""

from dataclasses import dataclass

TABLE_SCHEMAS = ("main", "scores", "contract")
"""Where a published table may stand in the private file, first match wins."""


@dataclass(frozen=True)
class Export:
    """One published table.

    `key` is its grain in order, and its row order. `columns` are promised beside the key; more
    may come. `nullable_key` are key columns that may be null (the key stays unique).
    `date_column` bounds the CSV of a table that is longer than `csv_max_rows`.
    A table that `may_shrink` is only warned about when it loses rows.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...] = ()
    nullable_key: tuple[str, ...] = ()
    date_column: str | None = None
    may_be_empty: bool = True
    may_shrink: bool = False
    is_file: bool = True


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


CUSTOMER_EXPORTS = (
    Export(
        "customer_360",
        key=("customer_id",),
        columns=_words(
            """customer_name, as_of_date, status, journey_stage, segment, tier, service_mode,
            industry, region, country, employee_count, contact_count, primary_contact_name,
            has_champion_left, csm_id, csm_name, csm_since, sales_id, first_paid_date,
            cohort_month, tenure_days, current_version, version_end_date, addon_count, mrr, arr,
            contracted_arr, usage_mrr_3m, currency, ordered_amount, delivered_amount,
            undelivered_amount, receivable_amount, overdue_amount, wallet_balance,
            next_renewal_date, days_to_renewal, due_arr, seats_bought, seats_activated,
            active_user_count_7d, active_user_count_28d, login_ratio, login_trend, usage_state,
            usage_state_since, is_used_without_value, north_star_value, rfm_code,
            days_since_our_contact, days_since_their_contact, lost_contact,
            next_contact_is_renewal, open_ticket_count, nps, csat, onboarding_status, ttfv_days,
            fit_pct, fit_below_30, promised_not_shipped_count, goal_status, icp_fit,
            is_reference_candidate, expansion_signal, health_score, health_band, health_coverage,
            churn_probability, open_warning_count, top_reason, attributes"""
        ),
        may_be_empty=False,
    ),
    Export(
        "customer_history",
        key=("customer_id", "valid_from"),
        columns=_words("status, journey_stage, segment, tier, csm_id, current_version, valid_to"),
        date_column="valid_from",
    ),
    Export(
        "journey_transitions",
        key=("customer_id", "transition_date"),
        columns=_words("from_stage, to_stage"),
        date_column="transition_date",
    ),
    Export(
        "customer_timeline",
        key=("entry_id",),
        columns=_words(
            """customer_id, occurred_at, kind, source_entity, source_key, actor_id, mode, channel,
            summary"""
        ),
        date_column="occurred_at",
    ),
    Export(
        "customer_team",
        key=("customer_id", "role", "valid_from"),
        columns=_words("employee_id, valid_to"),
    ),
    Export(
        "record_completeness",
        key=("customer_id", "journey_stage"),
        columns=_words("completeness_ratio, missing_fields"),
        may_shrink=True,
    ),
)

USE_EXPORTS = (
    Export(
        "customer_usage_daily",
        key=("customer_id", "activity_date"),
        columns=_words(
            """active_user_count, active_user_count_7d, active_user_count_28d, wau_mau_ratio,
            active_day_count_28d, login_count, event_count, core_action_count,
            core_breadth_ratio, help_view_count, minutes_online"""
        ),
        date_column="activity_date",
    ),
    Export(
        "usage_states_daily",
        key=("customer_id", "state_date"),
        columns=_words("state, days_in_state, is_frozen"),
        date_column="state_date",
    ),
    Export(
        "usage_transitions",
        key=("customer_id", "transition_date"),
        columns=_words("from_state, to_state, direction, days_in_from_state, arr"),
        date_column="transition_date",
        may_shrink=True,
    ),
    Export(
        "north_star_weekly",
        key=("week_start",),
        columns=_words("north_star, new_count, retained_count, resurrected_count, lost_count"),
        date_column="week_start",
    ),
    Export(
        "north_star_customers_weekly",
        key=("customer_id", "week_start"),
        columns=_words("value_action_count, is_reached"),
        date_column="week_start",
    ),
    Export(
        "north_star_renewal_link",
        key=("north_star_group",),
        columns=_words("n, renewal_rate, rate_low, rate_high"),
    ),
    Export(
        "usage_transition_matrix",
        key=("week_start", "from_state", "to_state"),
        columns=_words("customer_count, opening_count, arr, probability, expected_count, surprise"),
        date_column="week_start",
        may_shrink=True,
    ),
    Export("states_before_loss", key=("state", "weeks_before"), columns=_words("n, lift")),
    Export(
        "usage_mix_daily",
        key=("state_date", "usage_group"),
        columns=_words("customer_count, customer_share, arr"),
        date_column="state_date",
    ),
    Export(
        "rfm_segments",
        key=("customer_id",),
        columns=_words("recency_days, frequency_28d, amount_12m, rfm_code, cuts_version"),
    ),
    Export(
        "feature_adoption",
        key=("customer_id", "feature"),
        columns=_words("is_entitled, is_core, first_used_at, user_count_28d"),
        may_shrink=True,
    ),
    Export(
        "usage_retention_cohorts",
        key=("cohort_month", "month_number"),
        columns=_words("customer_count, active_count"),
    ),
    Export(
        "kpi_daily",
        key=("kpi_date",),
        columns=_words("dau, wau, mau, paying_customer_count, mrr, arr"),
        date_column="kpi_date",
    ),
)

SERVICE_EXPORTS = (
    Export(
        "onboarding_progress",
        key=("customer_id", "round_no", "step"),
        columns=_words(
            "sequence, target_days, due_on, done_at, is_on_time, is_stuck, duration_days"
        ),
    ),
    Export(
        "onboarding_step_times",
        key=("step", "segment"),
        columns=_words("n, p50_days, p90_days, due_count, on_time_ratio"),
        may_shrink=True,
    ),
    Export(
        "first_90_days",
        key=("customer_id", "week_number"),
        columns=_words("active_user_count, percentile_of_renewed, is_abandoned"),
    ),
    Export(
        "activations",
        key=("customer_id",),
        columns=_words(
            """seats_bought, seats_activated, seat_activation_ratio, first_value_at, ttfv_days,
            is_censored"""
        ),
    ),
    Export(
        "contact_coverage",
        key=("customer_id",),
        columns=_words(
            """days_since_our_contact, days_since_their_contact, plan_days, is_covered,
            lost_contact, next_contact_is_renewal, has_note_30d, proactive_ratio,
            handover_lag_days, cs_entry_point"""
        ),
    ),
    Export(
        "support_monthly",
        key=("customer_id", "month_start", "ticket_kind"),
        nullable_key=("ticket_kind",),
        columns=_words(
            """opened_count, resolved_count, first_response_hours_p50,
            first_response_hours_p90, resolution_hours_p50, unanswered_count, reopened_count,
            csat, top_responder_share"""
        ),
        date_column="month_start",
    ),
    Export(
        "voice_of_customer",
        key=("scope", "scope_value", "survey_kind"),
        columns=_words("score, n, response_rate, age_days_p50"),
        may_shrink=True,
    ),
    Export(
        "feature_request_value",
        key=("feature",),
        columns=_words("request_count, arr_requesting, shipped_at, adoption_after_ratio"),
    ),
)

PEOPLE_EXPORTS = (
    Export(
        "csm_books",
        key=("csm_id", "segment"),
        columns=_words(
            """csm_name, role, customer_count, arr, average_arr, due_arr_90d, at_risk_arr,
            load_ratio, warning_budget, coverage_ratio, orphaned_customer_count,
            due_run_count, on_time_ratio"""
        ),
        may_shrink=True,
    ),
    Export(
        "playbook_outcomes",
        key=("playbook",),
        columns=_words(
            """offered_count, done_count, on_time_count, skipped_count, save_rate, save_low,
            save_high"""
        ),
    ),
    Export(
        "weekly_review",
        key=("customer_id", "week_start"),
        columns=_words(
            """csm_id, contact_count, notes, ticket_count, active_user_count,
            active_user_count_before, state, state_before, score_change_sentence, next_action"""
        ),
        date_column="week_start",
        may_shrink=True,
    ),
)

MONEY_EXPORTS = (
    Export(
        "subscription_terms",
        key=("term_id",),
        columns=_words(
            """customer_id, product_id, product_kind, order_line_id, term_start, term_end,
            effective_end, term_months, mrr, is_trial, is_lifetime"""
        ),
    ),
    Export(
        "order_delivery",
        key=("order_id",),
        columns=_words(
            """currency, ordered_amount, paid_amount, delivered_amount, undelivered_amount,
            receivable_amount, overdue_amount, overdue_days, signed_at, approved_at, accepted_at,
            recognisable_from, approval_lag_days"""
        ),
    ),
    Export(
        "service_status",
        key=("service_id",),
        columns=_words(
            """customer_id, state, state_days, starts_on, ends_on, days_left, quantity_bought,
            quantity_used, quantity_left, burn_rate_28d, days_to_exhaustion"""
        ),
    ),
    Export(
        "trial_conversions",
        key=("customer_id",),
        columns=_words("trial_start, trial_end, paid_date, trial_to_paid_days, is_mature"),
    ),
    Export(
        "sales_funnel_monthly",
        key=("month_start", "stage", "segment"),
        columns=_words("entered_count, converted_count, conversion_ratio, median_days"),
        date_column="month_start",
    ),
    Export(
        "unit_economics_monthly",
        key=("month_start",),
        columns=_words(
            """cac, crc, ltv, ltv_low, ltv_high, ltv_cac, payback_months, cost_share_presales,
            missing_reason"""
        ),
        date_column="month_start",
    ),
    Export(
        "kpi_monthly",
        key=("month_start",),
        columns=_words(
            """new_arr, renewed_arr, is_renewed_above_new, cs_led_arr, top10_arr_share,
            expansion_multiple, stage, trial_conversion"""
        ),
        date_column="month_start",
    ),
    Export(
        "target_attainment",
        key=("month_start", "metric", "segment"),
        columns=_words("actual, target, attainment_ratio"),
        date_column="month_start",
        may_shrink=True,
    ),
    Export(
        "customer_mrr_monthly",
        key=("customer_id", "month_start"),
        columns=("mrr",),
        date_column="month_start",
    ),
    Export(
        "product_mrr_monthly",
        key=("customer_id", "product_id", "month_start"),
        columns=("mrr",),
        date_column="month_start",
    ),
    Export(
        "mrr_movements",
        # new, churn and currency have no cause
        key=("customer_id", "month_start", "kind", "cause"),
        nullable_key=("cause",),
        columns=_words("amount, is_provisional, originator_role"),
        date_column="month_start",
    ),
    Export(
        "mrr_bridge_monthly",
        key=("month_start",),
        columns=_words(
            """opening_mrr, new, reactivation, late_renewal, expansion, contraction, churn,
            currency_effect, closing_mrr"""
        ),
        date_column="month_start",
    ),
    Export(
        "retention_monthly",
        key=("level", "window_end", "window_months", "segment_by", "segment"),
        nullable_key=("segment",),
        columns=_words(
            """window_start, customer_count, opening_mrr, retained_mrr, closing_mrr, grr, nrr,
            nrr_excluding_returns, crr, crr_low, crr_high"""
        ),
        date_column="window_end",
    ),
    Export(
        "retention_customers_monthly",
        key=("customer_id", "window_end", "window_months"),
        columns=_words("opening_mrr, retained_mrr, closing_mrr"),
        date_column="window_end",
    ),
    Export(
        "renewals",
        key=("term_id",),
        columns=_words(
            """customer_id, product_id, due_date, due_arr, term_months, outcome, loss_reason,
            outcome_date, successor_term_id, renewed_arr, days_from_due, is_mature,
            renewal_owner_id, talk_started_date, talk_lead_days, had_discount"""
        ),
    ),
    Export(
        "renewal_cohorts",
        key=("due_month", "measure", "term_class", "segment"),
        nullable_key=("segment",),
        columns=_words(
            """due, renewed_by_minus_30, renewed_by_0, renewed_by_plus_30, renewed_by_plus_60,
            renewed_by_plus_90, gross_rate, net_rate, annualised_rate, open_share, early_share,
            late_share, is_mature, lost_onboarding_failed_ratio"""
        ),
        date_column="due_month",
    ),
    Export("arr_renewal_bridge", key=("part",), columns=("arr",)),
    Export(
        "renewal_rates_by_lead",
        key=("lead_bucket",),
        columns=_words("n, rate, rate_low, rate_high"),
    ),
    Export(
        "renewal_forecast",
        key=("made_on", "due_month", "segment"),
        columns=_words(
            "term_count, due_arr, cohort_count, rate, expected_arr, low, high, actual_arr"
        ),
        date_column="made_on",
    ),
    Export(
        "signup_cohorts",
        key=("cohort_month", "month_number"),
        columns=_words("customer_count, kept_count, mrr, kept_mrr"),
        date_column="cohort_month",
    ),
    Export(
        "restatements",
        key=("month_start", "measure"),
        columns=_words("as_closed, as_known_now, delta, cause_entity, cause_key"),
        date_column="month_start",
        may_shrink=True,
    ),
)

AUDIT_EXPORTS = (
    Export(
        "rule_audit",
        key=("finding_id",),
        columns=_words(
            "rule, severity, customer_id, entity, entity_key, happened_on, arr_at_stake, detail"
        ),
        may_shrink=True,
    ),
)

SCORE_EXPORTS = (
    Export(
        "health_scores",
        key=("customer_id", "as_of_date"),
        columns=_words(
            """health_score, health_band, coverage, score_low, score_high, trend_7d, trend_28d,
            trend_90d, rules_version, reason"""
        ),
    ),
    Export(
        "health_components",
        key=("customer_id", "as_of_date", "component"),
        columns=_words(
            """value, component_score, weight, contribution, is_applicable, is_measured,
            stale_days"""
        ),
    ),
    Export(
        "churn_warnings",
        key=("warning_id",),
        columns=_words(
            """customer_id, csm_id, kind, opened_on, closed_on, status, reason_code, drivers,
            held_by, playbook, due_date, due_arr, churn_probability, expected_saved_arr, is_assumed,
            is_urgent, rank, is_within_budget, recall_share, skipped_on, skipped_by,
            skipped_reason"""
        ),
        may_shrink=True,
    ),
    Export(
        "health_changes",
        key=("customer_id", "as_of_date", "part"),
        columns=_words("delta, sentence"),
        may_shrink=True,
    ),
    Export(
        "churn_probabilities",
        key=("customer_id", "as_of_date", "horizon_days"),
        columns=_words("probability, method, event_count, drivers, is_for_warnings"),
    ),
    Export(
        "score_report_card",
        key=("card", "method", "horizon_days", "segment", "population"),
        columns=_words(
            """n, events, base_rate, flips_per_customer_year, precision_at_k, precision_low,
            precision_high, recall_at_k, recall_low, recall_high, recall_arr_at_k,
            lift_top_decile, auc, auc_low, auc_high, brier, calibration_error, lead_days_p50,
            is_in_force, budget_share, verdict"""
        ),
        may_be_empty=False,
        may_shrink=True,
    ),
    Export(
        "score_calibration",
        key=("method", "horizon_days", "bin"),
        columns=_words("n, predicted, observed, low, high"),
        may_shrink=True,
    ),
    Export(
        "signal_cohorts",
        key=("signal", "bin"),
        columns=_words("value_low, value_high, n, loss_rate, low, high, drift"),
        may_shrink=True,
    ),
    Export(
        "score_disagreements",
        key=("customer_id", "checkpoint"),
        columns=_words(
            """due_date, days_before_due, as_of_date, csm_view, health_band, health_score, outcome,
            who_was_right"""
        ),
        may_shrink=True,
    ),
    Export(
        "warning_savings",
        key=("reason_code",),
        columns=_words(
            """treated_count, treated_loss_rate, untreated_count, untreated_loss_rate, saved_share,
            is_assumed"""
        ),
        may_shrink=True,
    ),
    Export(
        "signal_restatements",
        key=("signal",),
        columns=_words("compared_count, changed_count, changed_share"),
        may_shrink=True,
    ),
)

TRUST_EXPORTS = (
    Export(
        "data_health",
        key=("entity",),
        columns=_words(
            """delivered, accepted, quarantined, duplicate, orphaned, latest_event_at,
            freshness_hours, status"""
        ),
        may_be_empty=False,
        may_shrink=True,
    ),
    Export(
        "data_alarms",
        key=("alarm_id",),
        columns=_words("kind, entity, opened_on, detail, held_warning_count"),
        may_shrink=True,
    ),
    Export(
        "metric_definitions",
        key=("metric",),
        columns=_words("formula, version, owner, stands_in"),
        may_be_empty=False,
        may_shrink=True,
    ),
    Export(
        "calendar",
        key=("calendar_date",),
        columns=_words("is_working_day, week_start, month_start, fiscal_quarter"),
        may_be_empty=False,
    ),
    Export(
        "runs",
        key=("run_id",),
        columns=_words(
            "as_of_date, code_version, rules_version, input_fingerprint, is_reconstructed"
        ),
        may_be_empty=False,
    ),
)

# What scoring read. In the published file for those who check a score; no files for BI.
CONTRACT_TABLES = tuple(
    Export(name, key=(), is_file=False, may_shrink=True)
    for name in ("customer_signals", "customer_outcomes", "csm_capacity", "playbook_responses")
)

AREAS = {
    "customer": CUSTOMER_EXPORTS,
    "use": USE_EXPORTS,
    "service": SERVICE_EXPORTS,
    "money": MONEY_EXPORTS,
    "people": PEOPLE_EXPORTS,
    "audit": AUDIT_EXPORTS,
    "scores": SCORE_EXPORTS,
    "trust": TRUST_EXPORTS,
    "contract": CONTRACT_TABLES,
}
"""By business area; dbt has an exposure for each."""

EXPORTS = tuple(export for exports in AREAS.values() for export in exports)
