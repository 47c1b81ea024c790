"""The contract tables: what is read, what is refused."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from scoring.signals import (
    ContractError,
    check_night,
    read_connected_entities,
    read_signal_dates,
    read_signals,
    read_table,
)
from tests.scoring.contract_frames import NIGHT, customer, write_contract


def rewrite(folder, table, change):
    path = folder / f"{table}.parquet"
    change(pl.read_parquet(path)).write_parquet(path)


def test_signals_are_read_as_known_on_their_date(tmp_path):
    yesterday = NIGHT - timedelta(days=1)
    rows = [
        customer("b"),
        customer("a"),
        {**customer("a", on=yesterday), "known_on": NIGHT, "nps_score": 1.0},
        customer("a", on=yesterday),
    ]
    folder = write_contract(tmp_path, rows)
    found = read_signals(folder, [yesterday, NIGHT])
    assert found.select("customer_id", "as_of_date", "nps_score").rows() == [
        ("a", yesterday, 9.0),
        ("a", NIGHT, 9.0),
        ("b", NIGHT, 9.0),
    ]
    assert read_signal_dates(folder, NIGHT) == [yesterday, NIGHT]
    assert read_signal_dates(folder, yesterday) == [yesterday]


def test_numbers_of_any_width_are_read_and_what_is_not_finite_is_not_measured(tmp_path):
    folder = write_contract(tmp_path, [customer("a"), customer("b")])
    rewrite(
        folder,
        "customer_signals",
        lambda f: f.with_columns(
            tenure_days=pl.lit(5.0), nps_score=pl.Series([float("nan"), float("inf")])
        ),
    )
    found = read_signals(folder, [NIGHT])
    assert found["tenure_days"].to_list() == [5, 5]
    assert found["nps_score"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop("mrr"), "columns missing: mrr"),
        (lambda f: f.with_columns(mrr=pl.lit("x")), "mrr should be money, found String"),
        (lambda f: pl.concat([f, f]), "is not unique"),
        (lambda f: f.with_columns(customer_id=pl.lit(None, pl.String)), "null in its key"),
    ],
)
def test_a_broken_contract_is_one_clear_line(tmp_path, change, message):
    folder = write_contract(tmp_path, [customer()])
    rewrite(folder, "customer_signals", change)
    with pytest.raises(ContractError, match=message):
        read_signals(folder, [NIGHT])


def test_a_missing_table_or_another_night_is_refused(tmp_path):
    folder = write_contract(tmp_path, [customer()])
    with pytest.raises(ContractError, match="expected one row for"):
        check_night(folder, NIGHT + timedelta(days=1))
    (folder / "csm_capacity.parquet").unlink()
    with pytest.raises(ContractError, match="is not there"):
        read_table(folder, "csm_capacity")


def test_connected_entities_are_those_that_ever_delivered(tmp_path):
    folder = write_contract(tmp_path, [customer()], connected=["tickets"])
    assert read_connected_entities(folder) == {"tickets"}
