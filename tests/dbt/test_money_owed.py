"""What is owed of a period changes with its line and with the first end of it that is known."""

from __future__ import annotations

from typing import Any

from tests.warehouse import run_model

YEAR = {"order_id": "o", "start": "2023-01-01", "end": "2024-01-01", "amount": 365}
KNOWN = {"known_from": "2023-01-01", "known_to": None}
# Half a year is left on 1 July: 184 days.
LINES: list[dict[str, Any]] = [
    YEAR | KNOWN | {"line_id": "withdrawn"},
    YEAR | KNOWN | {"line_id": "never_began"},
    YEAR | KNOWN | {"line_id": "to_its_end"},
    *(
        YEAR | version | {"line_id": line_id}
        for line_id in ("dearer", "dearer_then_ended", "back_then_dearer")
        for version in (
            {"known_from": "2023-01-01", "known_to": "2023-02-01"},
            {"known_from": "2023-02-01", "known_to": None, "amount": 730},
        )
    ),
    YEAR | KNOWN | {"line_id": "for_ever", "end": None},
    YEAR | KNOWN | {"line_id": "for_ever_never", "end": None},
    YEAR | KNOWN | {"line_id": "not_due", "order_id": "without a date"},
]
ENDED = [
    ("withdrawn", "2023-07-01", "2023-03-01", "2023-04-01"),
    ("withdrawn", "2023-10-01", "2023-05-01", None),
    ("withdrawn", "2023-09-01", "2023-05-01", None),
    ("never_began", "2023-01-01", "2023-03-01", None),
    ("to_its_end", "2024-01-01", "2023-03-01", None),
    ("dearer", "2023-07-01", "2023-01-15", None),
    ("dearer_then_ended", "2023-07-01", "2023-03-01", None),
    ("back_then_dearer", "2023-07-01", "2023-01-10", "2023-01-20"),
    ("for_ever", "2023-07-01", "2023-03-01", None),
    ("for_ever_never", "2023-01-01", "2023-03-01", None),
]
OWED = {
    ("withdrawn", "2023-01-01"): 365,
    ("withdrawn", "2023-03-01"): -184,
    ("withdrawn", "2023-04-01"): 184,
    # Of two ends the first: from 1 September on.
    ("withdrawn", "2023-05-01"): -122,
    ("never_began", "2023-01-01"): 365,
    ("never_began", "2023-03-01"): -365,
    ("to_its_end", "2023-01-01"): 365,
    ("dearer", "2023-01-01"): 365,
    ("dearer", "2023-01-15"): -184,
    ("dearer", "2023-02-01"): 365 - 184,
    ("dearer_then_ended", "2023-01-01"): 365,
    ("dearer_then_ended", "2023-02-01"): 365,
    ("dearer_then_ended", "2023-03-01"): -368,
    ("back_then_dearer", "2023-01-01"): 365,
    ("back_then_dearer", "2023-01-10"): -184,
    ("back_then_dearer", "2023-01-20"): 184,
    ("back_then_dearer", "2023-02-01"): 365,
    ("for_ever", "2023-01-01"): 365,
    ("for_ever_never", "2023-01-01"): 365,
    ("for_ever_never", "2023-03-01"): -365,
}


def text(value: object) -> str:
    return "null" if value is None else f"'{value}'"


def rows(*selects: str) -> str:
    return " union all ".join(f"select {select}" for select in selects)


def test_an_end_takes_back_what_comes_after_it_while_it_is_the_first_one_known():
    first_ends = run_model(
        "int_contract_lines_first_ended",
        {
            "int_contract_lines_ended": rows(
                *(
                    f"""'{line_id}' as line_id, date '{ends_on}' as ends_on,
                    'refused' as end_reason, timestamptz '{known_from}' as known_from,
                    {text(known_to)}::timestamptz as known_to"""
                    for line_id, ends_on, known_from, known_to in ENDED
                )
            )
        },
    )
    found = run_model(
        "int_periods_owed",
        {
            "stg_ingest__night": "select date '2023-12-31' as as_of_date",
            "int_contract_lines_priced": rows(
                *(
                    f"""'{line["line_id"]}' as line_id, '{line["order_id"]}' as order_id,
                    {line["amount"]}::decimal(38, 10) as amount, false as is_auto_renew,
                    date '{line["start"]}' as term_start, {text(line["end"])}::date as term_end,
                    12::bigint as whole_months, 365::bigint as term_days,
                    {text(line["known_from"])}::timestamptz as known_from,
                    {text(line["known_to"])}::timestamptz as known_to"""
                    for line in LINES
                )
            ),
            "int_contract_lines_first_ended": rows(
                *(
                    f"""'{end["line_id"]}' as line_id, date '{end["ends_on"]}' as ends_on,
                    timestamptz '{end["known_from"]}' as known_from,
                    {text(end["known_to"])}::timestamptz as known_to"""
                    for end in first_ends
                )
            ),
            # Two versions of the order, which change nothing; another one without a date.
            "int_orders_adjusted": rows(
                *(
                    f"""'{order_id}' as order_id, {text(due_on)}::date as payment_due_on,
                    timestamptz '{known_from}' as known_from,
                    {text(known_to)}::timestamptz as known_to"""
                    for order_id, due_on, known_from, known_to in [
                        ("o", "2023-01-15", "2023-01-01", "2023-06-01"),
                        ("o", "2023-01-15", "2023-06-01", None),
                        ("without a date", None, "2023-01-01", None),
                    ]
                )
            ),
        },
    )
    owed = {(row["line_id"], str(row["changed_on"])): row["amount"] for row in found}
    assert owed == OWED
    assert {row["due_on"] for row in found} == {None}
