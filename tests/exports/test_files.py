import csv
import datetime as dt
import json

import duckdb
import frictionless
import polars as pl
import pytest

from exports.config import ExportsConfig
from exports.files import digest, write_csv
from exports.staging import StagedTable
from exports.tables import EXPORTS, Export
from tests.exports.private_night import RUN_ID, D

SAMPLE = Export("sample", key=("sample_id", "kind"), date_column="day")


@pytest.fixture
def write(tmp_path):
    """write(select) gives the CSV text and its description."""

    def write_sample(select, config=None, export=SAMPLE):
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'; set threads = 1")
            path = tmp_path / "sample.parquet"
            connection.execute(f"copy ({select}) to '{path}' (format parquet)")
            columns = connection.execute(f"describe from read_parquet('{path}')").fetchall()
            count = connection.execute(f"select count(*) from read_parquet('{path}')").fetchone()
            table = StagedTable(export, path, {c[0]: c[1] for c in columns}, count[0])
            written = write_csv(connection, table, tmp_path, D, config or ExportsConfig())
        return (tmp_path / "sample.csv").read_bytes().decode("utf-8"), written

    return write_sample


def test_values_are_written_as_the_contract_says(write):
    text, _ = write(
        """select 'x' as sample_id, date '2024-02-29' as day,
        timestamptz '2024-02-29 12:30:00+02' as plain_at,
        timestamptz '2024-02-29 12:30:00.25+02' as precise_at, true as is_yes,
        null::boolean as is_unknown, 1234567.5::decimal(38, 2) as money, 7::bigint as n,
        [1, 2] as list, {'a': 'b'} as struct"""
    )
    assert text == (
        "sample_id,day,plain_at,precise_at,is_yes,is_unknown,money,n,list,struct\n"
        'x,2024-02-29,2024-02-29T10:30:00Z,2024-02-29T10:30:00.250000Z,true,,1234567.50,7,"[1,2]",'
        '"{""a"":""b""}"\n'
    )


def test_numbers_have_no_exponent(write):
    text, _ = write(
        "select unnest([1.5e-7, 1e22, -2.5, 0.1, 123456789.25, -1e-10]::double[]) as number"
    )
    assert text.split()[1:] == [
        "0.00000015",
        "10000000000000000000000",
        "-2.5",
        "0.1",
        "123456789.25",
        "-0.0000000001",
    ]


def test_text_is_quoted_by_rfc_4180_and_comes_back_as_it_was(write, tmp_path):
    texts = ['say "hi"', "a,b", "two\nlines", "back\rslash\\", " spaces ", "", "Köln 陈"]
    values = ", ".join("('" + text + "')" for text in texts)
    write(f"select * from (values {values}) as t (body)")
    with (tmp_path / "sample.csv").open(encoding="utf-8", newline="") as file:
        assert [row["body"] for row in csv.DictReader(file)] == texts


def test_null_is_empty_and_an_empty_text_is_quoted(write):
    text, _ = write("select * from (values (1, null), (2, '')) as t (n, body)")
    assert text == 'n,body\n1,\n2,""\n'


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_free_text_that_a_spreadsheet_would_run_is_neutralised_and_counted(write, tmp_path, start):
    text = f"{start}1+1"
    _, written = write(f"select '{text}' as body, 'fine = 1' as other")
    with (tmp_path / "sample.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file))[1] == ["'" + text, "fine = 1"]
    assert written.neutralised_count == 1


def test_ids_keys_and_numbers_are_never_neutralised(write):
    text, written = write("select '-1' as sample_id, '=a' as kind, '+b' as order_id, -5 as number")
    assert text == "sample_id,kind,order_id,number\n-1,=a,+b,-5\n"
    assert written.neutralised_count == 0


def test_a_byte_order_mark_stands_first_when_wanted_or_for_excel(write):
    for config in (ExportsConfig(byte_order_mark=True), ExportsConfig(csv_preset="excel")):
        assert write("select 1 as n", config)[0] == "\ufeffn\n1\n"


EXCEL = ExportsConfig(csv_preset="excel")


def cells(text):
    """The cells under the header, as Excel sees them before it guesses what they are."""
    return [row[0] for row in csv.reader(text.removeprefix("\ufeff").splitlines()[1:])]


@pytest.mark.parametrize("name", ["sample_id", "body"])
@pytest.mark.parametrize(
    "text",
    [
        *("00123", "1E5", "12345678901234567890", "1-10", "3/4", "2024-02", ".5", "-7", "TRUE"),
        *("MAR1", "Sept 2", "dec-12", "=1+1", "@SUM(A1)", "＝1", 'say "3"'.replace("s", "5")),
    ],
)
def test_excel_keeps_a_text_that_it_would_change_or_run(write, name, text):
    written, file = write(f"select '{text}' as {name}, 1 as n", EXCEL)
    doubled = text.replace('"', '""')
    assert cells(written) == [f'="{doubled}"']
    assert file.neutralised_count == 1


@pytest.mark.parametrize("text", ["c001", "Köln", "marble 3", "true north", "", "Mayer & 2 Sons"])
def test_excel_needs_no_help_with_plain_text(write, text):
    written, file = write(f"select '{text}' as sample_id, 1 as n", EXCEL)
    assert cells(written) == [text]
    assert file.neutralised_count == 0


def test_a_long_text_or_one_with_a_tab_is_no_formula_of_excel_but_is_not_run_either(write):
    for text in ("=" + "1" * 300, "=a\t1"):
        assert cells(write(f"select '{text}' as body, 1 as n", EXCEL)[0]) == ["'" + text]


def test_excel_reads_days_moments_and_numbers_as_such(write):
    text, _ = write(
        """select timestamptz '2024-02-29 12:30:00.25+02' as known_at, date '2024-02-29' as day,
        1234.5::decimal(38, 2) as money, true as is_yes, null::timestamptz as never_at""",
        EXCEL,
    )
    assert text.splitlines()[1] == "2024-02-29 10:30:00,2024-02-29,1234.50,true,"


def test_a_long_table_goes_out_as_csv_with_its_last_90_days(write):
    select = f"select date '{D}' - n::int as day, n from range(200) as t (n) order by day"
    text, written = write(select, ExportsConfig(csv_max_rows=100))
    days = [line.split(",")[0] for line in text.splitlines()[1:]]
    assert (len(days), days[0], days[-1]) == (90, "2024-04-02", "2024-06-30")
    assert (written.rows, written.covers_from) == (90, dt.date(2024, 4, 2))


def test_every_table_has_a_csv_and_a_parquet_twin_of_the_same_rows(published):
    for export in EXPORTS:
        if export.is_file:
            twin = pl.read_parquet(published.folder / f"{export.name}.parquet")
            text = pl.read_csv(published.folder / f"{export.name}.csv", infer_schema=False)
            assert text.columns == twin.columns
            assert text.height == twin.height == published.row_counts[export.name]
            assert twin["run_id"].unique().to_list() in ([RUN_ID], [])


def test_the_contract_tables_are_in_the_file_but_not_among_the_exports(published):
    assert not list(published.folder.glob("*customer_signals*"))
    assert published.row_counts["customer_signals"] == 1


def test_the_manifest_names_every_file_to_the_byte(published):
    manifest = json.loads((published.folder / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["run_id"], manifest["as_of_date"]) == (RUN_ID, "2024-06-30")
    listed = {entry["name"]: (entry["bytes"], entry["sha256"]) for entry in manifest["files"]}
    there = {
        path.relative_to(published.folder).as_posix(): (path.stat().st_size, digest(path))
        for path in published.folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert listed == there
    assert manifest["database"]["sha256"] == digest(published.database)
    counted = {entry["name"]: entry.get("neutralised_count") for entry in manifest["files"]}
    assert counted["customer_360.csv"] == 2
    assert counted["data_alarms.csv"] == 1


def test_the_manifest_is_written_last(published):
    written = [path.stat().st_mtime_ns for path in published.folder.rglob("*.*")]
    assert (published.folder / "manifest.json").stat().st_mtime_ns == max(written)


def test_the_data_package_is_valid_and_describes_every_column(published):
    package = json.loads((published.folder / "datapackage.json").read_text(encoding="utf-8"))
    names = {resource["name"] for resource in package["resources"]}
    assert names == {e.name for e in EXPORTS if e.is_file} | {"crm_writeback", "warning_actions"}
    undescribed = [
        (resource["name"], field["name"])
        for resource in package["resources"]
        for field in resource["schema"]["fields"]
        if not field["description"]
    ]
    assert undescribed == []
    report = frictionless.validate(str(published.folder / "datapackage.json"))
    assert report.valid, report.flatten(["name", "fieldName", "message"])[:5]


@pytest.mark.parametrize("config", [ExportsConfig(byte_order_mark=True), EXCEL])
def test_the_data_package_is_valid_with_a_byte_order_mark_and_for_excel(
    tmp_path, night_files, publish, plain_page, config
):
    report = publish(night_files, tmp_path, config)
    assert frictionless.validate(str(report.folder / "datapackage.json")).valid
