"""What is known of a line, its ends, its successors and its payments changes with what comes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.warehouse import relation, run_model

KNOWN = {"known_from": "TIMESTAMPTZ", "known_to": "TIMESTAMPTZ"}
LINES = KNOWN | {
    **dict.fromkeys(("line_id", "customer_id", "order_id", "previous_order_id"), "VARCHAR"),
    **dict.fromkeys(("product_key", "product_kind", "currency", "unit"), "VARCHAR"),
    **dict.fromkeys(("quantity", "contract_mrr"), "DECIMAL(38, 10)"),
    **dict.fromkeys(("whole_months", "term_days", "grace_days"), "BIGINT"),
    "term_months": "DOUBLE",
    **dict.fromkeys(("term_start", "term_end", "closed_on"), "DATE"),
    **dict.fromkeys(("is_paid", "is_trial", "is_auto_renew"), "BOOLEAN"),
    **dict.fromkeys(("cancelled_at", "order_cancelled_at", "refunded_at"), "TIMESTAMPTZ"),
    **dict.fromkeys(("vanished_at", "non_renewal_noted_at"), "TIMESTAMPTZ"),
}
LINKED = KNOWN | {
    **dict.fromkeys(("line_id", "next_line_id"), "VARCHAR"),
    **dict.fromkeys(("next_term_start", "next_closed_on"), "DATE"),
    "is_next_trial": "BOOLEAN",
    "preceded_from": "TIMESTAMPTZ",
}
ENDED = KNOWN | {"line_id": "VARCHAR", "ends_on": "DATE"}
RATES = {"currency": "VARCHAR", "rate_date": "DATE", "rate": "DECIMAL(20, 10)"} | KNOWN
HALF_YEAR = {
    "line_id": "a",
    "customer_id": "c",
    "product_key": "p",
    "product_kind": "version",
    "currency": "EUR",
    "quantity": 1,
    "contract_mrr": 100,
    "whole_months": 6,
    "term_days": 181,
    "term_months": 6,
    "grace_days": 30,
    "term_start": "2023-01-01",
    "term_end": "2023-07-01",
    "closed_on": "2022-12-20",
    "is_paid": True,
    "is_trial": False,
    "is_auto_renew": False,
    "known_from": "2022-12-20T12:00:00Z",
}


def noon(day: str) -> str:
    return f"{day}T12:00:00Z"


def test_a_gap_is_bridged_to_the_first_line_that_follows_once_that_one_is_known():
    dates = [
        ("2023-06-30", "2023-06-30"),
        ("2023-07-01", "2023-08-01"),
        ("2023-07-03", "2023-07-03"),
        ("2023-07-03", "2023-08-01"),
        ("2023-07-04", "2023-08-01"),
    ]
    found = run_model(
        "int_contract_lines_at_dates",
        {
            "int_contract_lines_priced": relation(LINES, [HALF_YEAR]),
            "int_contract_lines_first_ended": relation(ENDED, []),
            "int_contract_lines_continued": relation(
                ENDED | {"continued_until": "DATE"},
                [
                    {
                        "line_id": "a",
                        "ends_on": "2023-07-01",
                        "continued_until": until,
                        "known_from": noon("2023-07-10"),
                    }
                    for until in ("2023-07-06", "2023-07-04")
                ],
            ),
            "int_exchange_rates_at_dates": relation(
                {"value_date": "DATE", "known_until": "TIMESTAMPTZ"} | RATES,
                [
                    {
                        "value_date": value_date,
                        "known_until": noon(known),
                        "currency": "EUR",
                        "rate": 1,
                    }
                    for value_date, known in dates
                ],
            ),
        },
    )
    # On the 3rd nobody knew of it yet; from the 4th on the next line counts itself.
    assert {
        (
            str(row["value_date"]),
            str(row["known_until"].date()),
            row["is_in_gap"],
            str(row["open_due_date"]),
        )
        for row in found
    } == {
        ("2023-06-30", "2023-06-30", False, "2023-07-01"),
        ("2023-07-01", "2023-08-01", True, "None"),
        ("2023-07-03", "2023-08-01", True, "None"),
    }


def test_an_end_is_told_while_its_link_holds_and_not_when_it_was_taken_back_before_it_came():
    taken_back = [
        HALF_YEAR
        | {
            "line_id": "taken_back",
            "cancelled_at": noon("2023-06-01"),
            "known_to": noon("2023-03-01"),
        },
        HALF_YEAR | {"line_id": "taken_back", "known_from": noon("2023-03-01")},
    ]
    found = run_model(
        "int_contract_lines_ended_apart",
        {
            "int_contract_lines_priced": relation(
                LINES, [HALF_YEAR | {"line_id": "linked"}, *taken_back]
            ),
            "int_contract_lines_linked": relation(
                LINKED,
                [
                    {
                        "line_id": "linked",
                        "next_line_id": "b",
                        "next_term_start": "2023-05-01",
                        "next_closed_on": "2023-02-01",
                        "is_next_trial": False,
                        "known_from": noon("2023-02-01"),
                        "known_to": noon("2023-04-01"),
                    }
                ],
            ),
        },
    )
    assert [
        (
            row["line_id"],
            row["end_reason"],
            *(str(row[column])[:10] for column in ("ends_on", "known_from", "known_to")),
        )
        for row in found
    ] == [("linked", "replaced", "2023-05-01", "2023-02-01", "2023-04-01")]


PAYMENTS = KNOWN | {
    **dict.fromkeys(("payment_id", "order_id", "kind", "currency"), "VARCHAR"),
    "paid_at": "TIMESTAMPTZ",
    "amount": "DECIMAL(38, 10)",
}


def test_a_payment_takes_the_latest_rate_of_its_day_and_none_in_the_currency_of_its_order():
    known = {"known_from": noon("2023-03-10")}
    found = run_model(
        "int_payments_valued",
        {
            "stg_orders__payments": relation(
                PAYMENTS,
                [
                    known
                    | {
                        "payment_id": order_id,
                        "order_id": order_id,
                        "kind": "payment",
                        "currency": "USD",
                        "paid_at": noon("2023-03-10"),
                        "amount": 100,
                    }
                    for order_id in ("in_euro", "in_dollars")
                ],
            ),
            "int_orders_adjusted": relation(
                {"order_id": "VARCHAR", "currency": "VARCHAR"} | KNOWN,
                [
                    {
                        "order_id": order_id,
                        "currency": currency,
                        "known_from": noon("2023-01-01"),
                    }
                    for order_id, currency in (("in_euro", "EUR"), ("in_dollars", "USD"))
                ],
            ),
            # The rate of February came after that of March, and another one after the payment.
            "stg_finance__exchange_rates": relation(
                RATES,
                [
                    {
                        "currency": "USD",
                        "rate_date": rate_date,
                        "rate": rate,
                        "known_from": noon(known_from),
                    }
                    for rate_date, rate, known_from in (
                        ("2023-02-01", "0.8", "2023-03-05"),
                        ("2023-03-01", "0.9", "2023-03-01"),
                        ("2023-03-08", "0.95", "2023-03-20"),
                    )
                ],
            ),
        },
    )
    assert sorted(
        (
            row["payment_id"],
            row["amount"],
            str(row["known_from"])[:10],
            str(row["known_to"])[:10],
        )
        for row in found
    ) == [
        ("in_dollars", 100, "2023-03-10", "None"),
        ("in_euro", 90, "2023-03-10", "2023-03-20"),
        ("in_euro", 95, "2023-03-20", "None"),
    ]


TERMS = KNOWN | {
    **dict.fromkeys(("judged_by", "term_id", "customer_id", "line_id"), "VARCHAR"),
    **dict.fromkeys(("product_key", "product_kind", "currency"), "VARCHAR"),
    **dict.fromkeys(("rate", "due_arr"), "DECIMAL(38, 10)"),
    **dict.fromkeys(("period_start", "due_date", "matures_on"), "DATE"),
    **dict.fromkeys(("goes_on", "is_known_late"), "BOOLEAN"),
    **dict.fromkeys(("judged_at", "final_at", "first_known_at", "night_end"), "TIMESTAMPTZ"),
}


def renewed(
    terms: list[dict[str, Any]],
    lines: list[dict[str, Any]],
    linked: list[dict[str, Any]],
    ended: list[dict[str, Any]],
) -> set[tuple[str, str, str, int]]:
    """Term, the line that follows, how it was found, renewed ARR."""
    term = {
        "judged_by": "tonight",
        "customer_id": "c",
        "product_key": "p",
        "product_kind": "version",
        "currency": "EUR",
        "rate": 1,
        "due_arr": 1200,
        "matures_on": "2023-09-29",
        "goes_on": False,
        "is_known_late": False,
        "judged_at": noon("2023-09-30"),
        "final_at": noon("2023-09-30"),
        "first_known_at": noon("2021-12-20"),
        "known_from": noon("2021-12-20"),
        "night_end": noon("2023-12-31"),
    }
    line = {key: HALF_YEAR[key] for key in ("customer_id", "product_key", "product_kind")}
    line |= {"currency": "EUR", "is_paid": True, "closed_on": "2022-12-01"}
    found = run_model(
        "int_terms_succeeded",
        {
            "int_terms_due": relation(TERMS, [term | row for row in terms]),
            "int_contract_lines_priced": relation(LINES, [line | row for row in lines]),
            "int_contract_lines_linked": relation(LINKED, linked),
            "int_contract_lines_first_ended": relation(ENDED, ended),
            "int_exchange_rates_first_known": relation(
                {
                    "currency": "VARCHAR",
                    "valid_from": "DATE",
                    "valid_to": "DATE",
                    "rate": "DECIMAL(20, 10)",
                },
                [
                    {
                        "currency": "EUR",
                        "valid_from": "0001-01-01",
                        "valid_to": "9999-12-31",
                        "rate": 1,
                    }
                ],
            ),
        },
    )
    return {
        (row["term_id"], row["next_line_id"], row["matched_by"], int(row["renewed_arr"]))
        for row in found
    }


def test_who_names_a_line_that_was_taken_over_renews_nothing_of_it():
    due = {
        "term_id": "due",
        "line_id": "a",
        "period_start": "2023-01-01",
        "due_date": "2023-07-01",
    }
    follows = {"contract_mrr": 60, "known_from": noon("2023-06-01")}
    lines = [
        follows | {"line_id": "b", "term_start": "2023-07-01"},
        follows | {"line_id": "c", "term_start": "2023-07-05"},
    ]
    linked = [
        {
            "line_id": "a",
            "next_line_id": next_line,
            "next_term_start": start,
            "known_from": noon("2023-06-01"),
            "preceded_from": preceded_from,
        }
        for next_line, start, preceded_from in (
            ("b", "2023-07-01", None),
            ("c", "2023-07-05", noon("2023-06-20")),
        )
    ]
    assert renewed([due], lines, linked, []) == {("due", "b", "link", 720)}


def test_a_line_that_was_moved_ahead_of_its_end_follows():
    due = {
        "term_id": "due",
        "line_id": "a",
        "period_start": "2023-01-01",
        "due_date": "2023-07-01",
    }
    moved = {"line_id": "b", "contract_mrr": 60}
    lines = [
        moved
        | {
            "term_start": "2023-07-15",
            "known_from": noon("2023-05-01"),
            "known_to": noon("2023-06-01"),
        },
        moved | {"term_start": "2023-07-02", "known_from": noon("2023-06-01")},
    ]
    end = {"line_id": "b", "ends_on": "2023-07-10", "known_from": noon("2023-06-15")}
    assert renewed([due], lines, [], [end]) == {("due", "b", "product", 720)}
    # The end came while it began later than that: it never begins.
    known_then = end | {"known_from": noon("2023-05-15")}
    never_moved = [moved | {"term_start": "2023-07-15", "known_from": noon("2023-05-01")}]
    assert renewed([due], never_moved, [], [known_then]) == set()


@pytest.mark.parametrize("matched_by", ["link", "product"])
def test_a_line_follows_nothing_only_while_it_is_known_to_end_before_it_starts(matched_by):
    due = {
        "term_id": "due",
        "line_id": "a",
        "period_start": "2023-01-01",
        "due_date": "2023-07-01",
    }
    judged = {"before": "2023-05-20", "while": "2023-06-10", "since": "2023-06-25"}
    terms = [due | {"term_id": when, "judged_at": noon(day)} for when, day in judged.items()]
    line = {
        "line_id": "b",
        "contract_mrr": 60,
        "term_start": "2023-07-15",
        "known_from": noon("2023-05-01"),
    }
    link = {
        "line_id": "a",
        "next_line_id": "b",
        "next_term_start": "2023-07-15",
        "known_from": noon("2023-05-01"),
    }
    taken_back = {
        "line_id": "b",
        "ends_on": "2023-07-10",
        "known_from": noon("2023-06-01"),
        "known_to": noon("2023-06-20"),
    }
    linked = [link] if matched_by == "link" else []
    follows = [renewed([term], [line], linked, [taken_back]) for term in terms]
    assert follows == [{("before", "b", matched_by, 720)}, set(), {("since", "b", matched_by, 720)}]


def test_a_line_that_names_one_which_begins_later_is_not_spent_on_it():
    terms = [
        {
            "term_id": "due",
            "line_id": "a",
            "period_start": "2022-01-01",
            "due_date": "2023-01-01",
        },
        {
            "term_id": "of the later line",
            "line_id": "later",
            "period_start": "2022-12-25",
            "due_date": "2023-01-25",
            "judged_at": noon("2023-02-15"),
            "final_at": noon("2023-02-15"),
            "matures_on": "2023-02-14",
        },
    ]
    lines = [
        {
            "line_id": "b",
            "contract_mrr": 60,
            "term_start": "2022-12-20",
            "known_from": noon("2022-12-01"),
        }
    ]
    named = {
        "line_id": "later",
        "next_line_id": "b",
        "next_term_start": "2022-12-20",
        "known_from": noon("2023-03-01"),
    }
    assert renewed(terms, lines, [named], []) == {("due", "b", "product", 720)}
