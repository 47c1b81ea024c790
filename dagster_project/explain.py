"""One customer's story from the published file: score, parts, change, states, terms, warnings."""

from __future__ import annotations

import json

from dagster_project.config import ConfigurationError
from dagster_project.home import Home
from dagster_project.published import Row, as_text, print_rows, published, read_rows
from dagster_project.terminal import OUT, print_json

PARTS = {
    "score": """
        select health_score, health_band, coverage, score_low, score_high, trend_28d, reason
        from health_scores where customer_id = ? order by as_of_date""",
    "components": """
        select component, component_score, weight, contribution, is_applicable, is_measured
        from health_components where customer_id = ? order by weight desc, component""",
    "changes": """
        select part, delta, sentence
        from health_changes where customer_id = ? order by abs(delta) desc, part""",
    "probabilities": """
        select horizon_days, probability, method, event_count, drivers
        from churn_probabilities where customer_id = ? order by horizon_days""",
    "warnings": """
        select
            kind, status, opened_on, reason_code, playbook, due_date, due_arr, rank, is_urgent,
            skipped_on, skipped_by, skipped_reason, drivers
        from churn_warnings where customer_id = ? order by opened_on desc, warning_id""",
    "states": """
        select transition_date, from_state, to_state, direction, days_in_from_state
        from usage_transitions where customer_id = ? order by transition_date desc limit 10""",
    "terms": """
        select term_id, product_id, term_start, term_end, effective_end, mrr, is_trial
        from subscription_terms where customer_id = ? order by term_start desc, term_id limit 12""",
    "renewals": """
        select due_date, product_id, due_arr, outcome, outcome_date
        from renewals where customer_id = ? order by due_date desc, term_id limit 12""",
}
NOTES = {
    "components": "contribution: points of the score; they add up to it",
    "changes": "delta: points since the last night; they add up to the change of the score",
    "probabilities": "drivers: log odds that add up to the probability; base is the segment's rate"
    " of loss, and what is above 0 makes a loss more likely\n"
    "event_count: losses it is learnt from, those after Sundays a horizon apart;"
    " these move on weekly, so it may fall",
}
WITHOUT = {
    "score": "only who pays tonight (MRR above 0) is scored",
    "changes": "the score is that of the last night, or one of the two nights has none",
}
HEAD = """
    select customer_id, customer_name, as_of_date, status, journey_stage, segment, tier, csm_name,
        mrr, arr, next_renewal_date, usage_state, usage_state_since, active_user_count_28d
    from customer_360
"""


def print_explanation(home: Home, customer: str, as_json: bool) -> None:
    """Raises ConfigurationError when no customer, or more than one, goes by that id or name."""
    with published(home) as connection:
        head = _find(read_rows(connection, f"{HEAD} where customer_id = ?", [customer])) or _find(
            read_rows(
                connection,
                f"{HEAD} where customer_name ilike '%' || ? || '%' order by customer_id",
                [customer],
            )
        )
        if head is None:
            raise ConfigurationError(
                f"no customer has the id {customer!r} or a name with it; "
                "`customer-health query 'select customer_id, customer_name from customer_360'` "
                "lists them"
            )
        parts = {
            title: read_rows(connection, sql, [head["customer_id"]]) for title, sql in PARTS.items()
        }
    if as_json:
        print_json({"customer": head} | parts)
        return
    OUT.print(as_text(head["customer_name"] or head["customer_id"]), style="bold", markup=False)
    for name, value in head.items():
        if value is not None:
            OUT.print(f"  {name:<24} {as_text(value)}", markup=False)
    for row in parts["score"]:
        if row["reason"]:
            OUT.print(f"  {row['reason']}", markup=False)
    for title, rows in parts.items():
        OUT.print()
        print_rows([_told(row) for row in rows], title=title)
        note = NOTES.get(title) if rows else WITHOUT.get(title)
        if note:
            OUT.print(note, markup=False)


def _told(row: Row) -> Row:
    """The row as a person reads it: no sentence twice, drivers in words."""
    told = {name: value for name, value in row.items() if name != "reason"}
    if told.get("drivers"):
        drivers = json.loads(told["drivers"])
        sentences = [driver["sentence"] for driver in drivers if "sentence" in driver]
        told["drivers"] = " ".join(sentences) or "; ".join(
            f"{driver['code'].replace('_', ' ')} {driver['log_odds']:+.2f}" for driver in drivers
        )
    return told


def _find(rows: list[Row]) -> Row | None:
    if len(rows) > 1:
        names = ", ".join(f"{row['customer_id']} ({row['customer_name']})" for row in rows[:5])
        raise ConfigurationError(f"{len(rows)} customers fit: {names}, …; name one by its id")
    return rows[0] if rows else None
