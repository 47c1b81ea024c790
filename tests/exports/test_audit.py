import datetime as dt

import duckdb
import pytest

from exports.audit import Finding, Published, audit_tables, read_published
from exports.expectations import check_expectations
from exports.private_file import find_relations, open_private, read_night
from exports.tables import EXPORTS
from tests.exports.private_night import RUN_ID, D, build_night


@pytest.fixture
def build_file(tmp_path):
    return build_night(tmp_path, customers=25)[0]


def change(build_file, *statements):
    with duckdb.connect(str(build_file)) as connection:
        for statement in statements:
            connection.execute(statement)


def audit(build_file, published=None, max_row_loss_share=0.5):
    with open_private(build_file) as connection:
        return [
            (finding.severity, str(finding))
            for finding in audit_tables(
                connection,
                EXPORTS,
                find_relations(connection),
                read_night(connection),
                published=published,
                max_row_loss_share=max_row_loss_share,
            )
        ]


def test_a_sound_night_has_no_finding(build_file):
    assert audit(build_file) == []


def test_a_repeated_key_is_named(build_file):
    change(build_file, "insert into mrr_bridge_monthly (month_start) values ('2024-06-01')")
    assert audit(build_file) == [
        (
            "error",
            "mrr_bridge_monthly: key is not unique: month_start 2024-06-01 stands 2 times",
        )
    ]


def test_a_null_key_is_an_error_but_a_movement_may_have_no_cause(build_file):
    change(
        build_file,
        "update renewals set term_id = null where term_id = 't001'",
        "update mrr_movements set cause = null",
    )
    assert audit(build_file) == [("error", "renewals: key column term_id is null in 1 rows")]


def test_missing_columns_are_named(build_file):
    change(
        build_file,
        "alter table customer_360 drop column health_band",
        "alter table calendar drop column calendar_date",
    )
    assert audit(build_file) == [
        ("error", "customer_360: promised column missing: health_band"),
        ("error", "calendar: key column missing: calendar_date"),
    ]


def test_an_empty_table_is_an_error_where_it_may_not_be_empty(build_file):
    change(build_file, "delete from customer_360", "delete from north_star_weekly")
    assert audit(build_file) == [("error", "customer_360: is empty and may not be")]


def test_what_is_not_a_number_is_an_error(build_file):
    change(build_file, "update customer_360 set health_score = 'nan' where customer_id = 'c001'")
    assert audit(build_file) == [("error", "customer_360: health_score is not a number in 1 rows")]


def test_a_run_that_names_another_night_is_an_error(build_file):
    change(build_file, "update runs set run_id = 'other'")
    assert audit(build_file) == [("error", f"runs: tonight's run {RUN_ID} is missing")]


@pytest.mark.parametrize(
    ("table", "severity"), [("customer_360", "error"), ("usage_transitions", "warning")]
)
def test_losing_more_than_half_of_the_rows_is_found(build_file, table, severity):
    before = Published("before", D - dt.timedelta(days=1), {table: 60})
    assert audit(build_file, before) == [
        (
            severity,
            f"{table}: 25 rows, 60 on 2024-06-29: more than 50% are gone"
            " (exports.max_row_loss_share)",
        )
    ]
    assert audit(build_file, before, max_row_loss_share=1) == []


def test_an_earlier_date_and_a_small_table_may_have_fewer_rows(build_file):
    assert audit(build_file, Published("later", D + dt.timedelta(days=1), {"renewals": 900})) == []
    assert audit(build_file, Published(RUN_ID, D, {"renewals": 900})) == []
    assert audit(build_file, Published("before", D, {"data_alarms": 19})) == []


def test_the_last_published_counts_are_read_from_its_file(published):
    last = read_published(published.database)
    assert last is not None
    assert (last.run_id, last.as_of_date) == (RUN_ID, D)
    assert last.row_counts == published.row_counts


def test_no_or_a_broken_published_file_is_no_reason_to_refuse(tmp_path):
    assert read_published(tmp_path / "none.duckdb") is None
    (tmp_path / "broken.duckdb").write_text("not a database")
    assert read_published(tmp_path / "broken.duckdb") is None


def test_a_run_id_that_is_no_name_is_refused(build_file):
    change(build_file, "update raw.night set run_id = '../x'")
    with open_private(build_file) as connection, pytest.raises(ValueError, match="no usable"):
        read_night(connection)


@pytest.mark.xdist_group("great_expectations")
def test_the_back_door_finds_values_out_of_range_and_says_which(build_file):
    with open_private(build_file) as connection:
        assert check_expectations(connection, find_relations(connection)) == []
    change(
        build_file,
        "update customer_360 set health_score = 101 where customer_id = 'c001'",
        "update customer_360 set status = 'gone' where customer_id in ('c001', 'c002')",
        "update mrr_bridge_monthly set churn = 5 where month_start = '2024-06-01'",
    )
    with open_private(build_file) as connection:
        found = check_expectations(connection, find_relations(connection))
    assert found == [
        Finding(
            "customer_360",
            "error",
            "status must be one of prospect, trial, signed, formal, renewed, pay_as_you_go,"
            " lapsed, churned; 2 rows are not, for example gone",
        ),
        Finding(
            "customer_360",
            "error",
            "health_score must be at least 0 and at most 100; 1 rows are not, for example 101.0",
        ),
        Finding(
            "mrr_bridge_monthly",
            "error",
            "churn must be at most 0; 1 rows are not, for example 5.0",
        ),
    ]
