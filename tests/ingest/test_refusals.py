"""Hostile, broken and unfinished files are refused whole, in one line, and never raise."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from typing import Any

import duckdb
import pytest
import yaml

GOOD = "customer_id,name\n1,Ada\n2,Bo\n"


def refusal(door: Any, entity: str = "customers") -> str:
    (file,) = door.night(entity=entity).files
    assert file.status == "refused"
    assert file.delivered == file.accepted + file.quarantined + file.duplicate
    assert "\n" not in file.reason
    assert door.rows("select count(*) from raw.customers") == [(0,)]
    return str(file.reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty, it has not even a header"),
        (b"\n\n", "is empty, it has not even a header"),
        (b"customer_id,name\n", "has no rows"),
        (GOOD.rstrip().encode(), "its last line (3) is not ended"),
        (b"<!DOCTYPE html><html>\n</html>\n", "is a web page, not data"),
        (b"\xef\xbb\xbf\n <HTML>\n", "is a web page, not data"),
        (b"customer_id,name\n1,Zo\xeb\n", "is not utf-8: byte 0xeb"),
        (GOOD.encode("utf-16"), "is utf-16"),
        (b"customer_id,name\n1,A\x00da\n", "has NUL bytes"),
        (b"customer_id,name,name\n1,a,b\n", "its header has 'name' twice"),
        (b"customer_id,name,NAME\n1,a,b\n", "its header has 'name' twice"),
        (b"Customer_ID,name\n1,a\n", "has no column 'customer_id'; it has 'Customer_ID'"),
        (b"id;name, full\n1;a\n", "has no column 'customer_id'; it has id;name, full"),
        (b"customer_id,is_reference\n1,x\n2,z\n3,true\n", "has 2 bad rows of 3"),
        (gzip.compress(GOOD.encode(), mtime=0), "is a gzip file, but its name does not end in .gz"),
        (b"customer_id,name\n1,Zo\xeb\n", "`encoding:`, such as windows-1252"),
        (b"PK\x03\x04rest", "is a zip archive or a workbook"),
        (b"PAR1rest", "is a Parquet file, the source says csv"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "has NUL bytes"),
        (b'customer_id,"name\n', "its header cannot be parsed"),
    ],
)
def test_a_file_that_cannot_be_trusted_is_refused(door: Any, content: bytes, reason: str) -> None:
    door.drop("customers.csv", content)
    assert reason in refusal(door)


@pytest.mark.parametrize(
    ("delimiter", "header", "written"),
    [
        (",", "customer_id;name", '";"'),
        (",", "customer_id\tname", '"\\t"'),
        (",", "customer_id|name;first|age", '"|"'),
        (";", "customer_id,name", '","'),
        ("whitespace", "customer_id,name", '","'),
    ],
)
def test_a_header_with_another_separator_names_the_setting(
    door: Any, delimiter: str, header: str, written: str
) -> None:
    """As a configuration writes it: what stands between the backquotes can be copied there."""
    door.source(delimiter=delimiter)
    door.drop("customers.csv", f"{header}\n1;a\n")
    reason = refusal(door)
    assert f"write `delimiter: {written}` beside the source's `format:`" in reason
    assert repr(header) in reason
    (setting,) = yaml.safe_load(reason.split("`")[1]).values()
    door.source(delimiter=setting)
    door.drop("customers.csv", f"{header}\n{header}\n".replace("customer_id", "1", 2))
    assert "separated by" not in str(door.night().files[0].reason)


def test_a_file_of_one_column_needs_no_separator(door: Any) -> None:
    door.drop("customers.csv", "customer_id\n1\n")
    assert door.night().files[0].status == "landed"


def test_a_cut_gzip_is_refused(door: Any) -> None:
    door.drop("customers.csv.gz", gzip.compress(GOOD.encode() * 100)[:-20])
    assert "is not a complete gzip file" in refusal(door)


def test_text_that_only_claims_to_be_gzip_is_refused(door: Any) -> None:
    door.drop("customers.csv.gz", GOOD)
    assert "is not a complete gzip file" in refusal(door)


def test_a_file_that_unpacks_to_too_much_is_refused(door: Any) -> None:
    door.source(limits={"max_expansion_ratio": 2})
    door.drop("customers.csv.gz", gzip.compress((b"x" * 1000 + b"\n") * 20_000, 1))
    assert "unpacks to more" in refusal(door)


def test_a_file_that_is_too_large_is_refused(door: Any) -> None:
    door.source(limits={"max_file_bytes": 10})
    door.drop("customers.csv", GOOD)
    assert "more than max_file_bytes" in refusal(door)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1xxxxxxxxxxxxPAR1", b"<html></html>"])
def test_what_is_no_parquet_is_refused(door: Any, content: bytes) -> None:
    door.source(format="parquet")
    door.drop("customers.parquet", content)
    reason = refusal(door)
    assert "Parquet" in reason or "web page" in reason


def test_a_cut_parquet_is_refused(door: Any) -> None:
    path = door.inbox / "whole"
    duckdb.sql(f"copy (select 1 as customer_id) to '{path}' (format parquet)")
    door.source(format="parquet")
    door.drop("customers.parquet", path.read_bytes()[:-9])
    assert "cut" in refusal(door)


def test_links_are_not_followed(door: Any) -> None:
    secret = door.inbox.parent / "secret.csv"
    secret.write_text(GOOD)
    (door.inbox / "customers.csv").symlink_to(secret)
    assert "is a link" in refusal(door)


def test_linked_folders_are_not_followed(door: Any) -> None:
    outside = door.inbox.parent / "outside"
    outside.mkdir()
    (outside / "customers.csv").write_text(GOOD)
    (door.inbox / "in").symlink_to(outside)
    door.source(entities={"customers": {"files": "**/customers.csv"}})
    assert door.night().files == ()


@pytest.mark.parametrize("pattern", ["../customers.csv", "/etc/passwd", "a/../../b", "~/x"])
def test_patterns_may_not_leave_the_folder(door: Any, pattern: str) -> None:
    door.source(entities={"customers": {"files": pattern}})
    with pytest.raises(ValueError, match="inside the source's location"):
        _ = door.config


@pytest.mark.parametrize(
    "name", ["customers[1].csv", "customers'; drop.csv", "customers*.csv", "customers ü.csv"]
)
def test_strange_names_are_just_names(door: Any, name: str) -> None:
    door.drop(name, GOOD)
    door.drop("customers1.csv", GOOD.replace("Ada", "Other"))
    assert {file.file_name: file.status for file in door.night().files}[name] == "landed"


def test_control_characters_in_a_name_are_refused(door: Any) -> None:
    door.drop("customers\n.csv", GOOD)
    assert "control characters" in refusal(door)


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ({"rows": 3}, "has 2 rows, its manifest says 3"),
        ({"bytes": 999}, "its manifest says 999"),
        ({"sha256": "00"}, "its sha256 differs"),
        ({"rows": "2"}, "wrong rows"),
        ({"delivered_on": "soon"}, "wrong delivered_on"),
        ([], "is not a JSON object"),
    ],
)
def test_a_file_that_is_not_what_its_manifest_says_is_refused(
    door: Any, manifest: Any, reason: str
) -> None:
    door.drop("customers.csv", GOOD)
    door.drop("customers.csv.manifest.json", json.dumps(manifest))
    assert reason in refusal(door)


def test_a_manifest_vouches_for_a_file_without_a_final_newline(door: Any) -> None:
    content = GOOD.rstrip()
    door.drop("customers.csv", content)
    assert door.night().files[0].status == "refused"
    said = {
        "rows": 2,
        "bytes": len(content),
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "delivered_on": "2024-05-01",
    }
    door.drop("customers.csv.manifest.json", json.dumps(said))
    assert door.night().files[0].status == "landed"
    assert str(door.rows("select delivered_on from raw.batches")[0][0]) == "2024-05-01"


def test_a_source_may_do_without_final_newlines(door: Any) -> None:
    door.source(needs_final_newline=False)
    door.drop("customers.csv", GOOD.rstrip())
    assert door.night().accepted == 2


def test_an_empty_file_is_fine_where_allowed(door: Any) -> None:
    door.source(entities={"customers": {"files": "customers*", "allow_empty": True}})
    door.drop("customers.csv", "customer_id\n")
    assert door.night().files[0].status == "landed"


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("nope + 1", "column name: "),
        ("name::int", "cannot be read: "),
    ],
)
def test_an_expression_that_fails_refuses_the_file(door: Any, expression: str, reason: str) -> None:
    door.source(
        entities={"customers": {"files": "customers*", "columns": {"name": {"sql": expression}}}}
    )
    door.drop("customers.csv", GOOD)
    assert reason in refusal(door)


def test_noise_never_raises(door: Any) -> None:
    source = random.Random(5)
    for number in range(40):
        size = source.randrange(0, 300)
        door.drop(f"customers{number}.csv", bytes(source.randrange(1, 256) for _ in range(size)))
        door.drop(
            f"customers_text{number}.csv",
            "".join(source.choice('a1,";\n\r \t') for _ in range(size)),
        )
    assert {file.status for file in door.night().files} == {"refused"}


def test_a_store_that_cannot_be_reached_does_not_tell_its_password(door: Any) -> None:
    """Alarms are published, and sent by mail."""
    door.source(location="nosuchstore://user:p@ss@host/in")
    (alarm,) = door.night().alarms
    assert alarm.kind == "source_unreachable"
    assert alarm.detail.startswith("crm: nosuchstore://host/in cannot be reached: ")
    assert "p@ss" not in alarm.detail and "user" not in alarm.detail


def test_what_a_far_store_says_in_its_error_is_told_without_the_password(
    door: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(url: str, **_: Any) -> Any:
        raise OSError(f"no route to {url}")

    monkeypatch.setattr("ingest.files.url_to_fs", fail)
    door.source(location="sftp://user:secret@host/in")
    (alarm,) = door.night().alarms
    assert alarm.detail == ("crm: sftp://host/in cannot be reached: no route to sftp://host/in")
