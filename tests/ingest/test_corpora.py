"""Files as the public corpora of bad files have them: what becomes of each is stated, row by row.

Beside the classic cases (csv-spectrum, those that CSV, JSON Lines and Parquet readers collect as
bugs), values that look right and are not. Each case says what lands, what is quarantined on which
line and why, or why the file is refused whole. Nothing raises, every row is accounted for.
"""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

Landed = list[tuple[Any, ...]]
Bad = list[tuple[int, str]]

HEADER = b"customer_id,name\n"


def land(door: Any, name: str, content: bytes, entity: str = "customers") -> Any:
    """The report of the only file; its arithmetic always adds up."""
    door.drop(name, content)
    return report(door, entity)


def report(door: Any, entity: str = "customers") -> Any:
    (file,) = door.night(entity=entity).files
    assert file.delivered == file.accepted + file.quarantined + file.duplicate
    if file.status == "refused":
        assert file.accepted == 0 and "\n" not in file.reason
        assert door.rows(f"select count(*) from raw.{entity}") == [(0,)]
    return file


def refused_rows(door: Any, entity: str = "customers") -> Bad:
    return [(line, reason) for line, _, reason in door.quarantine(entity)]


def check_rows(door: Any, landed: Landed, bad: Bad) -> None:
    rows = door.rows("select customer_id, name from raw.customers order by _line")
    assert rows == landed
    found = refused_rows(door)
    assert [line for line, _ in found] == [line for line, _ in bad]
    for (_, reason), (_, expected) in zip(found, bad, strict=True):
        assert expected in reason


CSV_WHOLE: dict[str, tuple[bytes, Landed]] = {
    "comma in quotes": (b'1,"Doe, Ada"\n', [("1", "Doe, Ada")]),
    "empty quoted": (b'1,""\n2,\n', [("1", None), ("2", None)]),
    "escaped quotes": (b'1,"ha ""ha"" ha"\n', [("1", 'ha "ha" ha')]),
    "json in a cell": (b'1,"{""a"": [1, ""x""]}"\n', [("1", '{"a": [1, "x"]}')]),
    "newline in quotes": (
        b'1,"once upon\na time"\n2,b\n',
        [("1", "once upon\na time"), ("2", "b")],
    ),
    "crlf in quotes": (b'1,"once\r\nupon"\r\n2,b\r\n', [("1", "once\r\nupon"), ("2", "b")]),
    "quotes and newlines": (b'1,"""ha\n""ha"""\n2,b\n', [("1", '"ha\n"ha"'), ("2", "b")]),
    "utf-8": ("1,ʤ\n2,日本語 😀\n".encode(), [("1", "ʤ"), ("2", "日本語 😀")]),
    "quote inside a bare field": (b'1,5" screen\n2,b\n', [("1", '5" screen'), ("2", "b")]),
    "blank lines between and behind": (b"\n1,a\n\n\n2,b\n\n\n", [("1", "a"), ("2", "b")]),
    "lines of blanks": (b"1,a\n   \n2,b\n", [("1", "a"), ("2", "b")]),
    "old Mac line ends": (b"1,a\r2,b\r", [("1", "a"), ("2", "b")]),
    "mixed line ends": (b"1,a\r\n2,b\n3,c\r\n", [("1", "a"), ("2", "b"), ("3", "c")]),
    "leading zeros of an id": (b"007,a\n", [("007", "a")]),
    "long digits of an id": (b"12345678901234567890,a\n", [("12345678901234567890", "a")]),
    "an id like a float": (b"1e5,a\n", [("1e5", "a")]),
    "the word null": (b"1,NULL\n2,NaN\n3,None\n", [("1", "NULL"), ("2", "NaN"), ("3", "None")]),
    "a formula": (b"1,=1+1\n", [("1", "=1+1")]),
    "line separators of Unicode": (
        "1,a\u2028b\x0bc\x85d\n".encode(),
        [("1", "a\u2028b\x0bc\x85d")],
    ),
    "a byte-order mark within": ("1,\ufeffa\n".encode(), [("1", "\ufeffa")]),
    "a long field": (b"1," + b"x" * 200_000 + b"\n", [("1", "x" * 200_000)]),
    "exact repeat": (b"1,a\n1,a\n", [("1", "a")]),
}


@pytest.mark.parametrize("case", CSV_WHOLE)
def test_csv_that_is_odd_but_right_lands_whole(door: Any, case: str) -> None:
    body, landed = CSV_WHOLE[case]
    header = b"customer_id,name\r" if case == "old Mac line ends" else HEADER
    assert land(door, "customers.csv", header + body).status == "landed"
    check_rows(door, landed, [])


CSV_PARTLY: dict[str, tuple[bytes, Landed, Bad]] = {
    "a short line": (b"1,a\n2\n3,c\n", [("1", "a"), ("3", "c")], [(3, "has 1 fields")]),
    "a long line": (b"1,a\n2,b,x\n3,c\n", [("1", "a"), ("3", "c")], [(3, "has 3 fields")]),
    "a delimiter at the end": (b"1,a\n2,b,\n3,c\n", [("1", "a"), ("3", "c")], [(3, "3 fields")]),
    "a comment line": (b"1,a\n# by hand\n2,b\n", [("1", "a"), ("2", "b")], [(3, "has 1 fields")]),
    "a total line": (b"1,a\n2,b\n,total\n", [("1", "a"), ("2", "b")], [(4, "is empty")]),
    "another delimiter": (b"1,a\n2;b\n3,c\n", [("1", "a"), ("3", "c")], [(3, "has 1 fields")]),
    "the header again": (b"1,a\n2,b\n,name\n", [("1", "a"), ("2", "b")], [(4, "is empty")]),
    "text behind a quote": (b'1,a\n2,"b"x\n3,c\n', [("1", "a"), ("3", "c")], [(3, "parsed")]),
    "a backslash escape": (b'1,a\n2,"b\\"x"\n3,c\n', [("1", "a"), ("3", "c")], [(3, "parsed")]),
    "an open quote at the end": (b'1,a\n2,b\n3,"c\n', [("1", "a"), ("2", "b")], [(4, "parsed")]),
    "a field too long": (
        b'1,a\n2,"' + b"x" * 300_000 + b'"\n3,c\n4,d\n',
        [("1", "a"), ("3", "c"), ("4", "d")],
        [(3, "field larger than")],
    ),
}


@pytest.mark.parametrize("case", CSV_PARTLY)
def test_a_bad_line_of_csv_costs_itself_only(door: Any, case: str) -> None:
    body, landed, bad = CSV_PARTLY[case]
    file = land(door, "customers.csv", HEADER + body)
    assert (file.status, file.accepted, file.quarantined) == ("landed", len(landed), len(bad))
    check_rows(door, landed, bad)


def packed(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zipped() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("customers.csv", "customer_id\n1\n")
    return stream.getvalue()


GOOD = HEADER + b"1,a\n2,b\n"
REFUSED: dict[str, tuple[str, bytes, str]] = {
    "nothing": ("c.csv", b"", "is empty"),
    "a mark alone": ("c.csv", b"\xef\xbb\xbf", "is empty"),
    "blank lines alone": ("c.csv", b"\r\n\r\n", "is empty"),
    "a header alone": ("c.csv", HEADER, "has no rows"),
    "a header without an end": ("c.csv", HEADER.rstrip(), "is not ended"),
    "a name twice": ("c.csv", b"customer_id,name,name\n1,a,b\n", "'name' twice"),
    "a name twice but for its case": ("c.csv", b"customer_id,Name,name\n1,a,b\n", "twice"),
    "no header": ("c.csv", b"1,a\n2,b\n", "has no column 'customer_id'"),
    "another delimiter": ("c.csv", b"customer_id;name\n1;a\n", '`delimiter: ";"`'),
    "tabs": ("c.csv", b"customer_id\tname\n1\ta\n", r'`delimiter: "\t"`'),
    "names in capitals": ("c.csv", b"CUSTOMER_ID,NAME\n1,a\n", "it has 'CUSTOMER_ID'"),
    "names with blanks between": ("c.csv", b"customer id,name\n1,a\n", "it has 'customer id'"),
    "a title above the header": ("c.csv", b"Export of today\n" + GOOD, "has no column"),
    "Excel's sep line": ("c.csv", b"sep=,\n" + GOOD, "has no column"),
    "an open quote in the header": ("c.csv", b'"customer_id,name\n1,a\n', "its header"),
    "cut in a row": ("c.csv", GOOD[:-2], "is not ended"),
    "utf-16": ("c.csv", GOOD.decode().encode("utf-16"), "is utf-16"),
    "utf-16 without a mark": ("c.csv", GOOD.decode().encode("utf-16-le"), "NUL bytes"),
    "windows-1252": ("c.csv", HEADER + b"1,Gro\xdf\n", "is not utf-8: byte 0xdf"),
    "utf-8 cut in a character": ("c.csv", HEADER + b"1,a\xe2\x82\n", "is not utf-8"),
    "surrogates as utf-8": ("c.csv", HEADER + b"1,\xed\xa0\x80\n", "is not utf-8"),
    "a NUL byte": ("c.csv", HEADER + b"1,a\x00b\n", "NUL bytes"),
    "a web page": ("c.csv", b"<!DOCTYPE html>\n<p>Please sign in</p>\n", "is a web page"),
    "XML": ("c.csv", b"<?xml version='1.0'?>\n<Error/>\n", "is a web page"),
    "PDF": ("c.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "is not utf-8"),
    "a workbook": ("c.csv", zipped(), "is a zip archive"),
    "gzip under another name": ("c.csv", packed(GOOD), "is a gzip file"),
    "Parquet under another name": ("c.csv", b"PAR1" + b"\x00" * 9 + b"PAR1", "is a Parquet file"),
    "gzip cut": ("c.csv.gz", packed(GOOD * 50)[:-9], "is not a complete gzip file"),
    "gzip with a wrong sum": ("c.csv.gz", packed(GOOD)[:-8] + b"\x00" * 8, "gzip"),
    "gzip by name alone": ("c.csv.gz", GOOD, "is not a complete gzip file"),
    "gzip of nothing": ("c.csv.gz", packed(b""), "is empty"),
    "mostly bad": ("c.csv", HEADER + b"1,a\n2\n3\n", "2 bad rows of 3"),
    "JSON": ("c.csv", b'[{"customer_id": 1}]\n1\n', "has no column"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_is_no_such_file_is_refused_whole(door: Any, case: str) -> None:
    name, content, reason = REFUSED[case]
    door.source(entities={"customers": {"files": "c.*"}})
    file = land(door, name, content)
    assert file.status == "refused"
    assert reason in file.reason


def test_a_gzip_bomb_is_refused(door: Any) -> None:
    bomb = packed(HEADER + b"1," + b"a" * 40_000_000 + b"\n")
    file = land(door, "customers.csv.gz", bomb)
    assert (file.status, "max_expansion_ratio" in file.reason) == ("refused", True)


def test_gzip_of_several_members_is_read_to_its_end(door: Any) -> None:
    land(door, "customers.csv.gz", packed(HEADER + b"1,a\n") + packed(b"2,b\n"))
    check_rows(door, [("1", "a"), ("2", "b")], [])


def test_names_in_the_header_are_trimmed_and_missing_ones_numbered(door: Any) -> None:
    file = land(door, "customers.csv", b" customer_id , name ,\n1,a,\n2,b,x\n")
    assert (file.status, file.unmapped) == ("landed", ("column_3",))
    check_rows(door, [("1", "a"), ("2", "b")], [])


def test_what_is_no_file_is_refused_and_stops_nothing(door: Any) -> None:
    (door.inbox / "customers.csv").mkdir()
    os.mkfifo(door.inbox / "customers-fifo.csv")
    (door.inbox / "customers-link.csv").symlink_to("/etc/hostname")
    door.drop("customers-good.csv", GOOD)
    door.drop("customers-🙂 ..é;'\".csv", HEADER + b"3,c\n")
    door.drop("customers-\n.csv", HEADER + b"4,d\n")
    files = {file.file_name: file for file in door.night().files}
    status = {name: file.status for name, file in files.items()}
    assert status == {
        "customers-fifo.csv": "refused",
        "customers-link.csv": "refused",
        "customers-good.csv": "landed",
        "customers-🙂 ..é;'\".csv": "landed",
        "customers-\n.csv": "refused",
    }
    assert door.rows("select customer_id from raw.customers order by 1") == [("1",), ("2",), ("3",)]


ONE = b'{"customer_id":"1"}\n'
NO_JSON = [(2, "is not JSON")]
JSONL: dict[str, tuple[bytes, Landed, Bad]] = {
    "blank lines": (ONE + b'\n \n{"customer_id":"2"}\n', [("1", None), ("2", None)], []),
    "an array": (ONE + b'["2"]\n', [("1", None)], [(2, "not a JSON object")]),
    "a number": (ONE + b"2\n", [("1", None)], [(2, "not a JSON object")]),
    "a comma at the end": (ONE + b'{"customer_id":"2",}\n', [("1", None)], NO_JSON),
    "single quotes": (ONE + b"{'customer_id':'2'}\n", [("1", None)], NO_JSON),
    "two on a line": (ONE + b'{"customer_id":"2"}{"customer_id":"3"}\n', [("1", None)], NO_JSON),
    "a key twice": (ONE + b'{"customer_id":"2","customer_id":"3"}\n', [("1", None)], NO_JSON),
    "a key twice within": (
        ONE + b'{"customer_id":"2","name":{"a":1,"a":2}}\n',
        [("1", None)],
        [(2, "a key twice")],
    ),
    "NaN": (b'{"customer_id":"1","name":NaN}\n', [("1", None)], []),
    "null": (b'{"customer_id":"1","name":null}\n', [("1", None)], []),
    "an object": (b'{"customer_id":"1","name":{"a":[1,2.5]}}\n', [("1", '{"a":[1,2.5]}')], []),
    "a large number": (
        b'{"customer_id":12345678901234567890123}\n',
        [("12345678901234567890123", None)],
        [],
    ),
    "a key only later": (
        ONE + b'{"name":"b","customer_id":"2"}\n',
        [("1", None), ("2", "b")],
        [],
    ),
    "a key missing": (ONE + b'{"name":"b"}\n', [("1", None)], [(2, "is empty")]),
    "a byte-order mark": (b"\xef\xbb\xbf" + ONE, [("1", None)], []),
    "deep nesting": (ONE + b"[" * 100_000 + b"\n", [("1", None)], NO_JSON),
    "an escaped newline": (b'{"customer_id":"1","name":"a\\nb"}\n', [("1", "a\nb")], []),
    "a control character": (ONE + b'{"customer_id":"2\x01"}\n', [("1", None)], NO_JSON),
}


@pytest.mark.parametrize("case", JSONL)
def test_a_bad_line_of_json_costs_itself_only(door: Any, case: str) -> None:
    content, landed, bad = JSONL[case]
    door.source(format="jsonl")
    file = land(door, "customers.jsonl", content)
    assert (file.status, file.accepted, file.quarantined) == ("landed", len(landed), len(bad))
    check_rows(door, landed, bad)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'[\n{"customer_id":"1"},\n{"customer_id":"2"}\n]\n', "jq -c '.[]'"),
        (b'{\n "customer_id": "1"\n}\n', "is not one JSON object a line"),
        (b'{"customer_id":"1"}\n{"customer_id":"2"', "is not ended"),
        (b'{"customer_id":"1"}\n{"Customer_Id":"2"}\n', "twice"),
        (b'{"id":"1"}\n', "has no column 'customer_id'"),
        (b"", "has no rows"),
    ],
)
def test_json_that_is_not_one_object_a_line_is_refused(
    door: Any, content: bytes, reason: str
) -> None:
    door.source(format="jsonl")
    file = land(door, "customers.jsonl", content)
    assert file.status == "refused"
    assert reason in file.reason


def as_parquet(folder: Path, query: str) -> bytes:
    path = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({query}) to '{path}' (format parquet)")
    return path.read_bytes()


UUID = "3f333df6-90a4-4fda-8dd3-9485d27cee36"
PARQUET: dict[str, tuple[str, Landed]] = {
    "dictionary": ("select 'a' || i as customer_id, 'n' as name from range(1) t(i)", [("a0", "n")]),
    "enum": ("select 'a'::enum('a') as customer_id, null as name", [("a", None)]),
    "whole numbers": ("select 7::int as customer_id, 12.0::double as name", [("7", "12")]),
    "decimals": ("select 7.00::decimal(9,2) as customer_id, 'a' as name", [("7.00", "a")]),
    "nested": ("select 'a' as customer_id, {'x': [1, 2]} as name", [("a", '{"x":[1,2]}')]),
    "bytes": ("select 'a'::blob as customer_id, 'b'::blob as name", [("a", "b")]),
    "uuid": (f"select '{UUID}'::uuid as customer_id, 'a' as name", [(UUID, "a")]),
}


@pytest.mark.parametrize("case", PARQUET)
def test_parquet_of_many_types_lands(door: Any, tmp_path: Path, case: str) -> None:
    query, landed = PARQUET[case]
    door.source(format="parquet")
    assert land(door, "customers.parquet", as_parquet(tmp_path, query)).status == "landed"
    check_rows(door, landed, [])


def test_parquet_that_is_not_whole_is_refused(new_door: Any, tmp_path: Path) -> None:
    whole = as_parquet(tmp_path, "select 'a' as customer_id, i as name from range(100) t(i)")
    footer = whole[:-12] + b"\xff\xff\xff\x7f" + whole[-8:]
    cases = {
        "cut": whole[:-10],
        "no footer length": whole[:-8] + b"\xff\xff\xff\x7fPAR1",
        "garbled footer": whole[:-60] + b"\x00" * 52 + whole[-8:],
        "only marks": b"PAR1PAR1",
        "footer": footer,
        "a web page": b"<html></html>",
        "upper case": as_parquet(tmp_path, "select 'a' as CUSTOMER_ID"),
        "zero rows": as_parquet(tmp_path, "select 'a' as customer_id where false"),
        "garbled data": whole[:4] + b"\xff" * (len(whole) // 2) + whole[4 + len(whole) // 2 :],
    }
    for name, content in cases.items():
        door = new_door(name)
        door.source(format="parquet")
        assert land(door, "customers.parquet", content).status == "refused", name


def moments_of(door: Any, values: list[str], **source: Any) -> list[datetime | str]:
    """What becomes of texts as created_at: the moment, or the reason why not."""
    body = "".join(f'{n},"{value}"\n' for n, value in enumerate(values))
    door.source(limits={"max_bad_share": 1}, **source)
    land(door, "customers.csv", ("customer_id,created_at\n" + body).encode())
    found: dict[int, Any] = dict(door.rows("select _line - 2, created_at from raw.customers"))
    found |= {line - 2: reason for line, reason in refused_rows(door)}
    return [found[place] for place in range(len(values))]


def test_moments_are_right_or_refused(door: Any) -> None:
    values = {
        "2024-02-29": datetime(2024, 2, 29, tzinfo=UTC),
        "2024-05-01T10:00:00Z": datetime(2024, 5, 1, 10, tzinfo=UTC),
        "2024-05-01 10:00:00": datetime(2024, 5, 1, 10, tzinfo=UTC),
        "2024-05-01T10:00": datetime(2024, 5, 1, 10, tzinfo=UTC),
        "2024-05-01T10:00:00+05:30": datetime(2024, 5, 1, 4, 30, tzinfo=UTC),
        "2024-05-01T10:00:00.123456789Z": datetime(2024, 5, 1, 10, 0, 0, 123456, tzinfo=UTC),
        "2024-05-01 10:00:00 UTC": datetime(2024, 5, 1, 10, tzinfo=UTC),
        "0000-00-00": "not a timestamp",
        "0000-00-00 00:00:00": "not a timestamp",
        "2023-02-29": "not a timestamp",
        "1900-02-29": "not a timestamp",
        "31/12/2023": "not a timestamp",
        "12/31/2023": "not a timestamp",
        "01.02.2024": "not a timestamp",
        "2024-05-01T25:00:00Z": "not a timestamp",
        "1714557600": "not a timestamp",
        "2024": "not a timestamp",
        "2024-05": "not a timestamp",
        "20240501": "not a timestamp",
        "infinity": "not a timestamp",
        "now": "not a timestamp",
        "tomorrow": "not a timestamp",
        "N/A": "not a timestamp",
        "45413": "not a timestamp",
        "2024-05-01T10:00:00 Europe/Berlin": "not a timestamp",
        "9999-12-31": "lies in the future",
        "1899-12-30": "lies before company.started_on",
        "1970-01-01T00:00:00Z": "lies before company.started_on",
    }
    for (text, expected), found in zip(values.items(), moments_of(door, list(values)), strict=True):
        if isinstance(expected, str):
            assert expected in str(found), text
        else:
            assert found == expected, text


def test_a_leap_second_is_refused_or_the_second_after(door: Any) -> None:
    (found,) = moments_of(door, ["2016-12-31T23:59:60Z"])
    assert found == datetime(2017, 1, 1, tzinfo=UTC) or "not a timestamp" in str(found)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("epoch_seconds", "1714557600"),
        ("%s", "1714557600"),
        ("epoch_seconds", "1714557600.0"),
        ("epoch_milliseconds", "1714557600000"),
        ("epoch_microseconds", "1714557600000000"),
    ],
)
def test_epochs_are_read_in_their_unit(door: Any, unit: str, text: str) -> None:
    found = moments_of(
        door, [text, "x", "nan", "1e400", "99999999999999999999"], timestamp_format=unit
    )
    assert found[0] == datetime(2024, 5, 1, 10, tzinfo=UTC)
    assert all("not a timestamp" in str(reason) for reason in found[1:])


def test_an_epoch_of_another_unit_lies_out_of_time(door: Any) -> None:
    found = moments_of(door, ["1714557600000", "1714557"], timestamp_format="epoch_seconds")
    assert "not a timestamp" in str(found[0]) or "future" in str(found[0])
    assert "before company.started_on" in str(found[1])


def test_a_moment_that_is_to_be_a_date_is_the_day_in_the_zone_of_the_company(door: Any) -> None:
    door.company = type(door.company)(zone="Asia/Tokyo", currency="EUR")
    mapping = {"subscriptions": {"files": "s*"}}
    door.source(entities=mapping, date_format="epoch_seconds")
    body = "subscription_id,customer_id,term_start,mrr\n1,1,1714579200,5\n"  # 16:00 in UTC
    assert land(door, "s.csv", body.encode(), "subscriptions").accepted == 1
    assert door.rows("select term_start from raw.subscriptions") == [(date(2024, 5, 2),)]


def numbers_of(door: Any, values: list[str], column: str = "fit_pct", **source: Any) -> list[Any]:
    """What becomes of texts as a number: the number, or None where the row is refused."""
    door.source(limits={"max_bad_share": 1}, **source)
    body = "".join(f'{n},"{value}"\n' for n, value in enumerate(values))
    land(door, "customers.csv", f"customer_id,{column}\n{body}".encode())
    found = dict(door.rows(f"select _line - 2, {column} from raw.customers"))
    bad = refused_rows(door)
    assert all("not a" in reason for _, reason in bad)
    assert len(found) + len(bad) == len(values)
    return [found.get(place) for place in range(len(values))]


NUMBERS = {
    "1e5": Decimal(100_000),
    "-0": Decimal(0),
    "+12.50": Decimal("12.5"),
    ".5": Decimal("0.5"),
    "5.": Decimal(5),
    " 12 ": Decimal(12),
    "1.2345674": Decimal("1.234567"),
    "12345678901234.123456": Decimal("12345678901234.123456"),
    "1,234.56": None,
    "1.234,56": None,
    "1.234.567,89": None,
    "12,5": None,
    "(123)": None,
    "NaN": None,
    "inf": None,
    "-Infinity": None,
    "€12": None,
    "$1": None,
    "12 EUR": None,
    "12%": None,
    "0x1F": None,
    "1_000": None,
    "1 000": None,
    "--1": None,
    "1e400": None,
    "123456789012345678": None,
    "#REF!": None,
    "٣": None,
}


def test_numbers_are_right_or_refused(door: Any) -> None:
    found = dict(zip(NUMBERS, numbers_of(door, list(NUMBERS)), strict=True))
    assert found == NUMBERS


def test_decimal_commas_and_thousands_are_read_where_the_source_says_so(new_door: Any) -> None:
    comma = {
        "12,5": Decimal("12.5"),
        "1.234,56": Decimal("1234.56"),
        "1.234.567,89": Decimal("1234567.89"),
        "1.250": Decimal(1250),
        "-1.250,00": Decimal(-1250),
        "1 234,5": Decimal("1234.5"),
        "1'234,5": Decimal("1234.5"),
        "1250": Decimal(1250),
        "1.5": None,
        "1.25.0": None,
        "1,234.56": None,
        "1.2345": None,
        "12.345.67": None,
        "1,2,3": None,
    }
    point = {"1,234.56": Decimal("1234.56"), "1,250": Decimal(1250), "12,5": None, "1.234,56": None}
    for separator, values in ((",", comma), (".", point)):
        found = numbers_of(new_door(separator), list(values), decimal_separator=separator)
        assert dict(zip(values, found, strict=True)) == values


def test_whole_numbers_are_right_or_refused(door: Any) -> None:
    values = {"12": 12, "12.0": 12, "1e3": 1000, "12.5": None, "9223372036854775808": None}
    found = numbers_of(door, list(values), column="employee_count")
    assert dict(zip(values, found, strict=True)) == values


def test_booleans_are_right_or_refused(door: Any) -> None:
    values = {"TRUE": True, "False": False, "1": True, "0": False, "Yes": True, "no": False}
    values |= dict.fromkeys(["2", "ja", "on", "-1", "truee", "✓"])
    values |= {"Y": True, "n": False, "t": True, "F": False}
    found = numbers_of(door, list(values), column="is_reference")
    assert dict(zip(values, found, strict=True)) == values
