"""Formats, dialects, types and line numbers: a row is read as it was meant, or refused by line."""

from __future__ import annotations

import gzip
import json
import tempfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import csv_reader
from ingest.config import SourceConfig
from ingest.files import Promise, Taken
from ingest.readers import read

HEAD = "customer_id,name\n"


def test_a_byte_order_mark_is_no_part_of_the_header(door: Any) -> None:
    door.drop("customers.csv", b"\xef\xbb\xbf" + HEAD.encode() + b"1,Ada\n")
    assert door.night().accepted == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_understood(door: Any, end: str) -> None:
    door.drop("customers.csv", (HEAD + "1,Ada\n2,Bo\n").replace("\n", end))
    door.night()
    assert door.rows("select customer_id, name, _line from raw.customers order by all") == [
        ("1", "Ada", 2),
        ("2", "Bo", 3),
    ]


def test_lines_are_counted_through_quoted_newlines_and_blank_lines(door: Any) -> None:
    door.drop("customers.csv", HEAD + '1,"A\nd\na"\n\n2,Bo\nragged\n3,"C,""y"""\n')
    report = door.night()
    assert (report.delivered, report.accepted, report.quarantined) == (4, 3, 1)
    assert door.rows("select name, _line from raw.customers order by _line") == [
        ("A\nd\na", 2),
        ("Bo", 6),
        ('C,"y"', 8),
    ]
    assert door.quarantine() == [(7, None, "has 1 fields, the header has 2")]


def test_an_unclosed_quote_costs_its_own_line_only(door: Any) -> None:
    door.drop("customers.csv", HEAD + '1,"Ada\n2,Bo\n3,Cy\n4,"Di"\n5,Ed\n')
    report = door.night()
    assert (report.delivered, report.accepted, report.quarantined) == (5, 4, 1)
    assert [line for line, _, _ in door.quarantine()] == [2]


def test_gzip_is_read_by_its_name(door: Any) -> None:
    door.drop("customers.csv.gz", gzip.compress((HEAD + "1,Ada\n").encode()))
    assert door.night().accepted == 1


def test_latin_1_is_read_when_configured(door: Any) -> None:
    door.source(encoding="latin-1")
    door.drop("customers.csv", (HEAD + "1,Zoë\n").encode("latin-1"))
    door.night()
    assert door.rows("select name from raw.customers") == [("Zoë",)]


def test_utf_16_is_read_when_configured(door: Any) -> None:
    door.source(encoding="utf-16")
    door.drop("customers.csv", (HEAD + "1,Zoë\n").encode("utf-16"))
    door.night()
    assert door.rows("select name from raw.customers") == [("Zoë",)]


def test_delimiter_quote_and_null_values_are_configured(door: Any) -> None:
    door.source(delimiter=";", quote="'", null_values=["NULL", "-"])
    door.drop("customers.csv", "customer_id;name;segment\n1;'A;da';NULL\n2;-;b\n")
    door.night()
    assert door.rows("select name, segment from raw.customers order by customer_id") == [
        ("A;da", None),
        (None, "b"),
    ]


def test_a_name_that_stands_twice_is_told_apart_by_its_place(door: Any) -> None:
    entity = {"files": "customers.csv", "columns": {"name": "label (2)"}}
    door.source(entities={"customers": entity})
    door.drop("customers.csv", "customer_id,Label,label,Note,Note\n1,A,Ada,x,y\n")
    assert door.night().accepted == 1
    assert door.rows("select name, attributes from raw.customers") == [
        ("Ada", '{"Label (1)":"A","Note (1)":"x","Note (2)":"y"}')
    ]


@pytest.mark.parametrize(
    ("attributes", "unmapped", "kept"),
    [([], ("Area", "Invoice"), None), (["Area"], ("Invoice",), '{"Area":"north"}')],
)
def test_a_ledger_tells_of_its_customers_by_the_attributes_they_agree_in(
    door: Any, attributes: list[str], unmapped: tuple[str, ...], kept: str | None
) -> None:
    door.source(entities={"customers": {"files": "ledger.csv", "attributes": attributes}})
    door.drop("ledger.csv", "customer_id,Invoice,Area\n1,a,north\n1,b,north\n")
    (file,) = door.night().files
    assert (file.accepted, file.duplicate, file.unmapped) == (1, 1, unmapped)
    assert door.rows("select attributes from raw.customers") == [(kept,)]


def test_an_attribute_that_a_file_lacks_refuses_it_as_a_mapped_column_would(door: Any) -> None:
    entity = {"files": "customers.csv", "attributes": ["Region"]}
    door.source(entities={"customers": entity})
    door.drop("customers.csv", "customer_id,region_name,Regionn\n1,a,b\n")
    (file,) = door.night().files
    assert file.reason == "has no column 'Region' (our attributes); it has 'Regionn'"
    door.source(entities={"customers": entity | {"may_lack": ["Region"]}})
    assert door.night().accepted == 1


def test_a_column_that_only_some_files_have_is_empty_in_the_others(door: Any) -> None:
    entity = {
        "files": "*.csv",
        "columns": {"region": "Area", "segment": {"sql": "upper(Size)"}},
        "where": "Test is null",
    }
    door.source(entities={"customers": entity | {"may_lack": ["Area", "Size", "Test"]}})
    door.drop("2024-01-01.csv", HEAD + "1,Ada\n")
    door.drop("2024-02-01.csv", "customer_id,name,Area,Size,Test\n2,Bo,north,s,\n3,C,,,x\n")
    assert door.night().accepted == 2
    assert door.rows("select customer_id, region, segment from raw.customers order by 1") == [
        ("1", None, None),
        ("2", "north", "S"),
    ]


def test_a_required_column_may_not_be_lacking(door: Any) -> None:
    entity = {"files": "*.csv", "may_lack": ["Id"], "columns": {"customer_id": "Id"}}
    door.source(entities={"customers": entity})
    door.drop("customers.csv", "name\nAda\n")
    (file,) = door.night().files
    assert file.status == "refused"
    assert "has no column 'Id' (our customer_id)" in str(file.reason)


def test_columns_may_be_parted_by_blanks_and_have_no_header(door: Any) -> None:
    door.source(
        delimiter="whitespace", header=["customer_id", "created_at"], timestamp_format="%Y%m%d"
    )
    door.drop("customers.txt", " 00001  19970101 \n 00002  20200112\n")
    door.company = type(door.company)()
    door.night()
    assert door.rows("select customer_id, created_at::date from raw.customers order by 1") == [
        ("00001", date(1997, 1, 1)),
        ("00002", date(2020, 1, 12)),
    ]


@pytest.mark.parametrize("with_time", ["%d.%m.%Y %H:%M", None])
def test_a_timestamp_may_be_a_day_as_the_source_writes_days(
    door: Any, with_time: str | None
) -> None:
    """One source often has both; the day is its start in the source's zone, here CET."""
    door.source(zone="Europe/Berlin", date_format="%d.%m.%Y", timestamp_format=with_time)
    moment = "02.01.2024 15:04" if with_time else "2024-01-02T15:04:00"
    door.drop(
        "customers.csv",
        f"customer_id,created_at\n1,{moment}\n2,03.01.2024\n3,31.02.2024\n4,03.01.2024 \n",
    )
    door.night()
    found = door.rows("select customer_id, created_at from raw.customers order by 1")
    assert found == [
        ("1", datetime(2024, 1, 2, 14, 4, tzinfo=UTC)),
        ("2", datetime(2024, 1, 2, 23, tzinfo=UTC)),
        ("4", datetime(2024, 1, 2, 23, tzinfo=UTC)),
    ]
    assert door.quarantine() == [(4, "created_at", "not a timestamp: 31.02.2024")]


def test_a_number_that_sql_cannot_cast_refuses_the_file_and_says_why(door: Any) -> None:
    mapping = {"files": "customers*", "columns": {"fit_pct": {"sql": "fit::decimal / 2"}}}
    door.source(decimal_separator=",", entities={"customers": mapping})
    door.drop("customers.csv", 'customer_id,fit\n1,"1,5"\n')
    (file,) = door.night().files
    assert (file.status, "1,5" in file.reason) == ("refused", True)
    assert "decimal_separator and the formats do not reach into sql:" in file.reason


def test_jsonl_keeps_nested_values_as_json_and_digits_as_they_are(door: Any) -> None:
    door.source(
        format="jsonl",
        entities={
            "customers": {
                "files": "*.jsonl",
                "columns": {
                    "segment": {"sql": "json_extract_string(plan, '$.name')"},
                    "country": {"sql": "missing"},
                },
            }
        },
    )
    lines = [
        {"customer_id": 12345678901234567890, "plan": {"name": "pro", "x": [1]}},
        {"customer_id": "b", "is_reference": True, "region": None},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + "[1]\n{cut\n"
    door.source("crm2", format="csv", entities={"contacts": {"files": "none"}})
    door.drop("customers.jsonl", text)
    report = door.night()
    assert (report.accepted, report.quarantined) == (2, 2)
    assert door.rows("select customer_id, segment, is_reference from raw.customers order by 1") == [
        ("12345678901234567890", "pro", None),
        ("b", None, True),
    ]
    assert [line for line, _, _ in door.quarantine()] == [3, 4]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_array_is_refused_with_the_way_out(door: Any, indent: int | None) -> None:
    door.source(format="jsonl")
    rows = [{"customer_id": "1", "name": "A"}, {"customer_id": "2"}]
    door.drop("customers.json", json.dumps(rows, indent=indent) + "\n")
    (file,) = door.night().files
    assert file.status == "refused" and "jq -c '.[]'" in str(file.reason)


def test_half_a_surrogate_pair_costs_its_row_only(door: Any) -> None:
    door.source(format="jsonl")
    door.drop("customers.jsonl", '{"customer_id": "1", "name": "\\ud83d"}\n{"customer_id": "2"}\n')
    report = door.night()
    assert (report.accepted, report.quarantined) == (1, 1)


def test_parquet_types_are_taken_as_they_are(door: Any) -> None:
    door.source(format="parquet", zone="Europe/Berlin", entities={"orders": {"files": "*.parquet"}})
    path = door.inbox / "orders.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"""
            copy (
                select 7.0::double as order_id, 3 as customer_id, 'formal' as kind,
                    'approved' as status, 'EUR' as currency,
                    timestamp '2024-01-01 12:00:00' as ordered_at,
                    timestamp '2024-01-05 23:30:00' as payment_due_on
            ) to '{path}' (format parquet)
        """)
    door.night(entity="orders")
    assert door.rows(
        "select order_id, customer_id, ordered_at, payment_due_on, _line from raw.orders"
    ) == [("7", "3", datetime(2024, 1, 1, 11, tzinfo=UTC), date(2024, 1, 5), 1)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-03-01T10:00:00Z", "2024-03-01 10:00"),
        ("2024-03-01 10:00:00+02:00", "2024-03-01 08:00"),
        ("2024-03-01 10:00:00 +0200", "2024-03-01 08:00"),
        ("2024-03-01T10:00:00.5-05", "2024-03-01 15:00:00.5"),
        ("2024-03-01 10:00", "2024-03-01 09:00"),
        ("2024-03-01", "2024-02-29 23:00"),
        ("2024-02-30", None),
        ("infinity", None),
        ("01/03/2024", None),
        ("1709287200", None),
    ],
)
def test_timestamps_keep_their_offset_or_are_read_in_the_zone_of_the_source(
    door: Any, written: str, meant: str | None
) -> None:
    door.source(zone="Europe/Berlin", limits={"max_bad_share": 1})
    door.drop("customers.csv", f"customer_id,created_at\n1,{written}\n")
    door.night()
    expected = [(datetime.fromisoformat(meant + "+00:00" if meant else ""),)] if meant else []
    assert door.rows("select created_at from raw.customers") == expected
    if meant is None:
        assert door.quarantine() == [(2, "created_at", f"not a timestamp: {written}")]


@pytest.mark.parametrize(
    ("column", "written", "meant"),
    [
        ("employee_count", "12", 12),
        ("employee_count", " 12.0 ", 12),
        ("employee_count", "12.7", None),
        ("employee_count", "1_000", None),
        ("fit_pct", "1e1", Decimal(10)),
        ("fit_pct", "NaN", None),
        ("fit_pct", "inf", None),
        ("fit_pct", "1,5", None),
        ("is_reference", "YES", True),
        ("is_reference", "0", False),
        ("is_reference", "maybe", None),
        ("goal_verified_on", "2024-01-05", date(2024, 1, 5)),
        ("goal_verified_on", "2024-01-05 23:00:00", date(2024, 1, 5)),
        ("goal_verified_on", "2024-01-05T23:00:00-05:00", date(2024, 1, 6)),
        ("goal_verified_on", "epoch", None),
    ],
)
def test_text_becomes_its_type_or_the_row_is_refused(
    door: Any, column: str, written: str, meant: Any
) -> None:
    door.source(limits={"max_bad_share": 1})
    door.drop("customers.csv", f'customer_id,{column}\n1,"{written}"\n')
    report = door.night()
    assert door.rows(f"select {column} from raw.customers") == ([] if meant is None else [(meant,)])
    assert report.quarantined == (meant is None)


def test_inclusive_ends_become_the_day_after(door: Any) -> None:
    door.source(term_end_is_inclusive=True, entities={"subscriptions": {"files": "subs*"}})
    door.drop(
        "subs.csv",
        "subscription_id,customer_id,term_start,term_end,mrr\n1,1,2024-01-01,2024-01-31,5\n",
    )
    door.night(entity="subscriptions")
    assert door.rows("select term_end from raw.subscriptions") == [(date(2024, 2, 1),)]


def test_a_file_behind_a_url_is_read(door: Any) -> None:
    memory = fsspec.filesystem("memory")
    memory.pipe("/front-door/in/customers.csv", (HEAD + "1,Ada\n").encode())
    memory.pipe("/front-door/in/sub/customers.csv", (HEAD + "2,Bo\n").encode())
    door.source(
        location="memory://front-door/in", entities={"customers": {"files": "**/customers.csv"}}
    )
    try:
        assert door.night().accepted == 2
        assert door.night("2024-06-01").files == ()
    finally:
        memory.rm("/front-door", recursive=True)


def test_patterns_stay_in_their_folder_unless_they_say_otherwise(door: Any) -> None:
    door.drop("customers.csv", HEAD + "1,Ada\n")
    door.drop("old/customers.csv", HEAD + "2,Bo\n")
    door.drop("customers.csv.part", "x")
    door.drop(".customers.csv", "x")
    assert [file.file_name for file in door.night().files] == ["customers.csv"]


def test_the_example_of_a_real_csv_corpus_is_read_whole(door: Any, tmp_path: Path) -> None:
    text = 'a,b,c\n1,"ha ""ha"" ha",3\n4,"{""type"": ""Point""}",6\n7,"x\r\ny",ʤ\n'
    door.source(
        entities={"customers": {"files": "*", "columns": {"customer_id": "a", "name": "b"}}}
    )
    door.drop("spectrum.csv", text)
    assert door.night().accepted == 3
    assert door.rows("select name from raw.customers order by customer_id") == [
        ('ha "ha" ha',),
        ('{"type": "Point"}',),
        ("x\r\ny",),
    ]


@settings(max_examples=40)
@given(
    lines=st.lists(st.text("a1 ,;\t\x0b\u2028é", max_size=6), max_size=8),
    ends=st.lists(st.sampled_from(["\n", "\r\n", "\r"]), min_size=8, max_size=8),
)
def test_blocks_are_read_as_row_by_row(lines: list[str], ends: list[str]) -> None:
    text = "a,b\n" + "".join(line + end for line, end in zip(lines, ends, strict=False))
    fields = {"files": "x"}
    source = SourceConfig.model_validate(
        {"format": "csv", "location": ".", "entities": {"customers": fields}}
    )
    seen = []
    for is_plain in (True, False):
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            path = Path(folder) / "file"
            path.write_bytes(text.encode())
            if not is_plain:
                patch.setattr(csv_reader, "_plain_table", lambda *_: None)
            taken = Taken(path, len(text.encode()), "")
            parts = Path(folder) / "parts"
            with duckdb.connect() as connection:
                content = read(connection, taken, Promise(), "x.csv", source, parts)
                rows = connection.execute(content.relation + " order by __line").fetchall()
                broken = (
                    content.broken
                    and connection.execute(
                        "select * from read_parquet(?)", [str(content.broken)]
                    ).fetchall()
                )
            seen.append((rows, broken, content.rows))
    assert seen[0] == seen[1]
