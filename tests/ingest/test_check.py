"""Looking without landing: what a night would do, and how far the data reach."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ingest.check import RowProblem, check_sources
from ingest.horizon import latest_data, latest_landed
from tests.ingest.conftest import NOW


def test_check_says_what_a_night_would_do_and_writes_nothing(door: Any) -> None:
    columns = {"name": "label", "segment": {"sql": "upper(size)"}, "region": {"value": "EU"}}
    door.source(
        entities={
            "customers": {"files": "customers*", "columns": columns},
            "contacts": {"files": "contacts*"},
        }
    )
    door.drop("customers.csv", "customer_id,label,size,extra\n1,A,s,x\n,B,s,x\n")
    seen = check_sources(door.config, door.company, NOW)
    (file,) = seen.files
    assert (file.report.delivered, file.report.accepted, file.report.quarantined) == (2, 1, 1)
    assert file.mapped == {"name": "label", "segment": "sql: upper(size)", "region": "value: EU"}
    assert file.taken == ("customer_id",)
    assert file.report.unmapped == ("extra",)
    assert file.problems == (RowProblem(3, "customer_id", "is empty"),)
    assert "contacts: no file found" in seen.notes[0]
    assert (seen.alarms, seen.is_refused) == ((), False)
    assert not door.home.exists()


def test_check_shows_why_most_rows_are_bad(door: Any) -> None:
    door.drop("customers.csv", "customer_id,is_reference\n1,?\n2,?\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.status == "refused"
    assert file.problems == (RowProblem(2, "is_reference", "not a boolean: ?", rows=2),)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("1,?,x,C1\n", "has 1 bad rows of 1"),
        ("", "has no rows"),
    ],
)
def test_a_refused_file_names_what_is_not_mapped(door: Any, rows: str, reason: str) -> None:
    door.drop("customers.csv", "customer_id,is_reference,extra,Konto\n" + rows)
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.status == "refused"
    assert reason in str(file.report.reason)
    assert file.report.unmapped == ("Konto", "extra")


def test_a_file_that_lacks_a_column_names_those_it_could_be_read_from(door: Any) -> None:
    mapping = {
        "files": "customers.csv",
        "where": "kind <> 'test'",
        "columns": {"customer_id": "id", "name": {"sql": "upper(label)"}},
    }
    door.source(entities={"customers": mapping})
    door.drop("customers.csv", "Kundennr,label,kind,segment\n1,A,s,x\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert "has no column 'id' (our customer_id)" in str(file.report.reason)
    assert file.report.unmapped == ("Kundennr",)


def test_each_kind_of_problem_is_shown_once_with_its_rows_and_the_setting_it_may_need(
    door: Any,
) -> None:
    door.drop(
        "customers.csv",
        "customer_id,created_at,employee_count,is_reference,fit_pct\n"
        '1,02.05.2025,,,\n2,03.05.2025,,,\n,,7,,\n4,,,yes,\n5,,,no,1\n6,,,,2\n7,,,,"1,5"\n8,a\n',
    )
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.status == "refused"  # 5 of 8 are bad
    assert file.problems == (
        RowProblem(2, "created_at", "not a timestamp: 02.05.2025", rows=2),
        RowProblem(4, "customer_id", "is empty", rows=1),
        RowProblem(8, "fit_pct", "not a number: 1,5", rows=1),
        RowProblem(9, None, "has 2 fields, the header has 5", rows=1),
    )
    assert [hint.split("`")[1] for hint in file.hints] == [
        "timestamp_format:",
        "decimal_separator:",
    ]


def test_whole_numbers_with_thousands_separators_are_told_the_setting(door: Any) -> None:
    door.drop("customers.csv", 'customer_id,employee_count\n1,"4,329"\n2,12\n3,7\n')
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.problems == (RowProblem(2, "employee_count", "not a whole number: 4,329"),)
    assert ["`decimal_separator:`" in hint for hint in file.hints] == [True]


def test_fractions_of_whole_numbers_are_told_how_to_round_and_the_setting(door: Any) -> None:
    door.drop("customers.csv", "customer_id,employee_count\n1,43.29\n2,12\n3,7\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    rounding, setting = file.hints
    assert 'employee_count: {sql: "round(x::double)"}' in rounding
    assert "`decimal_separator:`" in setting  # 43.290 may be thousands


def test_payments_without_orders_are_noted(door: Any) -> None:
    door.source(entities={"payments": {"files": "payments*"}})
    head = "payment_id,order_id,paid_at,amount,kind\n"
    door.drop("payments.csv", head + "p,s,2024-05-01T00:00:00Z,9,payment\n")
    (note,) = check_sources(door.config, door.company, NOW).notes
    assert note.startswith("payments: no orders are read")


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        (("2024-05-01", "2024-05-02", "2024-02-01"), True),
        (("2024-02-01", "2024-02-02", "2024-05-01"), False),
        (("", "", ""), False),
    ],
)
def test_terms_that_are_known_from_a_late_change_are_told(
    door: Any, changes: tuple[str, ...], is_told: bool
) -> None:
    door.source(entities={"subscriptions": {"files": "subscriptions*"}})
    lines = [f"{key},a,2024-01-{key + 1:02},9,{day}\n" for key, day in enumerate(changes)]
    head = "subscription_id,customer_id,term_start,mrr,updated_at\n"
    door.drop("subscriptions.csv", head + "".join(lines))
    (file,) = check_sources(door.config, door.company, NOW).files
    assert ["`updated_at: {sql:" in hint for hint in file.hints] == [True] * is_told


def test_no_setting_is_proposed_that_the_source_has(door: Any) -> None:
    door.source(decimal_separator=".", timestamp_format="%Y", date_format="%Y")
    door.drop("customers.csv", "customer_id,created_at,fit_pct\n1,x,\n2,,x\n3,,\n4,,\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert (len(file.problems), file.hints) == (2, ())


@pytest.mark.parametrize(
    ("ends", "is_inclusive", "proposed"),
    [
        (("2025-01-31", "2025-03-14", "2026-02-28"), False, ["true"]),
        (("2025-02-01", "2025-03-15", "2026-03-01"), False, []),
        (("2025-01-31", "2025-03-14", "2026-02-28"), True, []),
        (("2025-02-01", "2025-03-15", "2026-03-01"), True, ["false"]),
        (("2025-01-10", "2025-03-14", ""), False, []),
        # 30 days miss a month by one where it has 31.
        (("2025-01-31", "2025-03-17", "2025-03-31"), False, []),
    ],
)
def test_ends_that_miss_whole_months_by_a_day_are_told(
    door: Any, ends: tuple[str, ...], is_inclusive: bool, proposed: list[str]
) -> None:
    door.source(
        term_end_is_inclusive=is_inclusive, entities={"subscriptions": {"files": "subs.csv"}}
    )
    terms = zip(("2025-01-01", "2025-02-15", "2025-03-01"), ends, strict=True)
    rows = "".join(f"{n},c,{start},{end},5\n" for n, (start, end) in enumerate(terms))
    door.drop("subs.csv", "subscription_id,customer_id,term_start,term_end,mrr\n" + rows)
    (file,) = check_sources(door.config, door.company, NOW).files
    found = [hint.split("`")[1].removeprefix("term_end_is_inclusive: ") for hint in file.hints]
    assert found == proposed


@pytest.mark.parametrize(
    ("rows", "is_told"),
    [
        # Blank while it runs: the second has ended for good, and would go on.
        (("2025-01-01,,,true", "2025-01-01,2025-03-01,,true"), True),
        (("2025-01-01,,,true", "2025-01-01,2025-03-01,,false"), False),
        (("2025-01-01,,,true", "2025-01-01,2025-03-01,2025-02-01,true"), False),
        (("2025-01-01,2025-02-01,,true", "2025-01-01,2025-03-01,,true"), False),
    ],
)
def test_ends_of_what_renews_itself_are_told_where_others_have_none(
    door: Any, rows: tuple[str, ...], is_told: bool
) -> None:
    door.source(entities={"subscriptions": {"files": "subs.csv"}})
    header = "term_start,term_end,cancelled_at,is_auto_renew,subscription_id,customer_id,mrr\n"
    door.drop("subs.csv", header + "".join(f"{row},{n},c,5\n" for n, row in enumerate(rows)))
    (file,) = check_sources(door.config, door.company, NOW).files
    assert ["`is_auto_renew: {value: false}`" in hint for hint in file.hints] == [True] * is_told


def test_a_ledger_that_is_taken_for_a_list_of_customers_is_told(door: Any) -> None:
    door.drop("customers.csv", "customer_id,invoice\n1,a\n1,b\n2,c\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert ["`attributes: []`" in hint for hint in file.hints] == [True]
    door.drop("customers.csv", "customer_id,name\n1,a\n1,b\n2,c\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert (file.report.quarantined, file.hints) == (1, ())


def test_only_what_must_be_mended_fails_the_check(door: Any) -> None:
    assert check_sources(door.config, door.company, NOW).is_refused  # no file anywhere
    door.drop("customers.csv", 'customer_id\n1\n"",x\n2\n')
    seen = check_sources(door.config, door.company, NOW)
    assert seen.files[0].report.quarantined == 1 and not seen.is_refused
    door.source("other", location="/nowhere", entities={"contacts": {"files": "contacts*"}})
    seen = check_sources(door.config, door.company, NOW)
    assert "the folder /nowhere does not exist" in seen.alarms[0] and seen.is_refused


def test_a_far_folder_without_files_is_told_without_its_password(door: Any) -> None:
    door.source(location="memory://user:secret@empty/in")
    seen = check_sources(door.config, door.company, NOW)
    assert seen.notes == ("customers: no file found (crm: memory://empty/in/customers*)",)


def test_data_reach_to_their_last_delivery_or_occurrence(door: Any) -> None:
    door.source(
        entities={
            "customers": {"files": "customers*"},
            "interactions": {"files": "talks*"},
            "subscriptions": {"files": "subs*"},
        }
    )
    subs = "subscription_id,customer_id,term_start,mrr\n1,1,2024-04-01,5\n"
    talks = "interaction_id,customer_id,occurred_at\n1,1,2024-03-02T23:30:00Z\n"
    for name, text, day in (
        ("nothing", "", None),
        ("subs.csv", subs, date(2024, 4, 1)),
        ("talks.csv", talks, date(2024, 3, 2)),
        ("customers_2024-05-01.csv", "customer_id\n1\n", date(2024, 5, 1)),
        # What a file of a day says of later days is a plan, before it landed and after.
        ("talks_2024-05-02.csv", talks.replace("03-02", "05-09"), date(2024, 5, 2)),
    ):
        door.drop(name, text)
        assert latest_data(door.config, door.home, door.company, NOW) == day
    door.nights()
    assert latest_landed(door.home, door.company, NOW) == date(2024, 5, 2)
    assert latest_data(door.config, door.home, door.company, NOW) == date(2024, 5, 2)


def test_ids_that_two_files_write_differently_are_told_with_the_nearest(door: Any) -> None:
    door.source(
        entities={
            "customers": {"files": "customers.csv"},
            "customer_ids": {"files": "ids.csv"},
            "contacts": {"files": "contacts*.csv"},
            "product_events": {"files": "events.csv"},
        }
    )
    door.drop("contacts-1.csv", "contact_id,customer_id\na,001AAA\nb,001B\nc,old\n")
    door.drop("contacts-2.csv", "contact_id,customer_id\nd,001B\n")
    day = "2024-05-01T00:00:00Z"
    door.drop("events.csv", f"customer_id,occurred_at,event_name\n001aaa,{day},x\n,{day},x\n")
    assert not any("is in no row" in note for note in check_notes(door))
    door.drop("customers.csv", "customer_id\n001AAA\n001BBB\n")
    door.drop("ids.csv", "source,source_id,customer_id\nerp,old,001AAA\n")
    assert check_notes(door) == (
        "contacts: customer_id of 2 of 4 rows is in no row of customers, such as '001B'; nearest "
        "there is '001BBB': do both write ids alike?",
        "product_events: customer_id of 1 of 1 rows is in no row of customers, such as '001aaa'; "
        "nearest there is '001AAA': do both write ids alike?",
    )


def check_notes(door: Any) -> tuple[str, ...]:
    return check_sources(door.config, door.company, NOW).notes


def test_a_constant_written_as_a_column_is_proposed_as_one(door: Any) -> None:
    entity = {"files": "products.csv", "columns": {"kind": "version"}}
    door.source(entities={"products": entity})
    door.drop("products.csv", "product_id,name\n1,Pro\n")
    (file,) = check_sources(door.config, door.company, NOW).files
    assert file.report.reason == (
        "has no column 'version' (our kind); if it is the same in every row, write {value: version}"
    )
