"""`customer-health try`: the last night under another configuration, published nowhere."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dagster_project import warehouse
from dagster_project.code_version import code_version
from dagster_project.config import Configuration, ConfigurationError, load
from dagster_project.dbt_call import variables
from dagster_project.definitions import FACTS
from dagster_project.endings import Outcome
from dagster_project.home import Home
from dagster_project.inputs import CONFIGURATION, Inputs, lay_out, read_inputs, telling_what_is_lost
from dagster_project.night import Night
from dagster_project.nightly import run_night
from dagster_project.published import Row, as_text, published, read_rows
from dagster_project.terminal import OUT, PROGRESS
from ingest.replay import changed_mappings
from scoring.comparison import list_differences, read_figures, total_differences
from scoring.memory import SaidNight, night_folder
from scoring.night import score_night
from scoring.signals import ContractError

LISTED = 10
"""More customers of one change than this stand in --json only."""


class TrialRefused(Exception):
    """The facts under the new configuration are refused."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(*outcome.reasons)
        self.outcome = outcome


@dataclass(frozen=True)
class LastNight:
    """The night that is published: what it had read and with which configuration."""

    said: SaidNight
    names: dict[str, str]
    inputs: Inputs
    configuration: Configuration


@dataclass(frozen=True)
class Trial:
    """What would change: `differences` a row per customer and subject, `totals` per change.

    `cards`: figures of the report card, of before and after.
    """

    night: SaidNight
    config_file: Path
    currency: str
    notes: tuple[str, ...]
    differences: list[Row]
    totals: list[Row]
    cards: tuple[Row, Row]


def try_configuration(home: Home, config_file: Path, tried: Configuration) -> Trial:
    """Score the last published night under its own configuration and under `tried`.

    Both sides read the same batches, remember the same nights, and say at once what they see: what
    needs a second night to be said would hide most changes. Nothing is written into `home`. Raises
    ConfigurationError, and TrialRefused with the reasons of dbt.
    """
    with (
        tempfile.TemporaryDirectory(prefix="customer-health-try-") as folder,
        telling_what_is_lost(),
    ):
        last = _last_night(home)
        old, new = Home(Path(folder) / "old"), Home(Path(folder) / "new")
        facts = _own_facts(home, last, old)
        before = _score(facts, last, old)
        under_new = replace(last, configuration=tried)
        lay_out(home, last.inputs, tried, new)
        has_same_facts = variables(tried) == variables(last.configuration)
        if not has_same_facts:
            facts = _make_facts(under_new, new)
        try:
            after = _score(facts, under_new, new)
        except ContractError as error:
            raise ConfigurationError(f"{config_file}: scoring: {error}") from None
        differences = list_differences(before, after)
        return Trial(
            night=last.said,
            config_file=config_file,
            currency=tried.company.currency,
            notes=tuple(_notes(last, tried, has_same_facts)),
            differences=[
                row | {"customer_name": last.names.get(row["customer_id"])}
                for row in differences.to_dicts()
            ],
            totals=total_differences(differences).to_dicts(),
            cards=(
                read_figures(before, last.configuration.scoring.churn.horizon_days),
                read_figures(after, tried.scoring.churn.horizon_days),
            ),
        )


def print_trial(trial: Trial, as_json: bool) -> None:
    """Who changes, how many and how much ARR, and the report cards side by side."""
    if as_json:
        report = {
            "as_of_date": trial.night.as_of_date,
            "run_id": trial.night.run_id,
            "config": trial.config_file,
            "notes": trial.notes,
            "differences": trial.differences,
            "totals": trial.totals,
            "report_card": dict(zip(("old", "new"), trial.cards, strict=True)),
        }
        OUT.print_json(json.dumps(report, default=str, ensure_ascii=False))
        return
    OUT.print(
        f"Night of {trial.night.as_of_date}, run {trial.night.run_id}, under {trial.config_file}; "
        "nothing is published",
        markup=False,
    )
    for note in trial.notes:
        OUT.print(note, markup=False)
    if not trial.totals:
        OUT.print("\nno customer changes state, band or warning")
    for total in trial.totals:
        count = total["customer_count"]
        OUT.print(
            f"\n{total['subject']}: {total['change']}: {count:,} customer{'s' * (count != 1)}, "
            f"ARR {total['arr']:,.0f} {trial.currency}",
            markup=False,
        )
        for line in _customers_of(trial, total):
            OUT.print(f"  {line}", markup=False)
    OUT.print()
    _print_cards(trial.cards)


def _last_night(home: Home) -> LastNight:
    with published(home) as connection:
        run = read_rows(connection, "select as_of_date, run_id from runs")[0]
        names = read_rows(connection, "select customer_id, customer_name from customer_360")
    said = SaidNight(run["as_of_date"], run["run_id"])
    inputs = read_inputs(home, said)
    if inputs is None:
        raise ConfigurationError(
            f"{night_folder(home.root, said)}: does not tell which batches the night had read; "
            "run `customer-health nightly` once more"
        )
    return LastNight(
        said,
        {row["customer_id"]: row["customer_name"] for row in names},
        inputs,
        load(night_folder(home.root, said) / CONFIGURATION, is_kept=True),
    )


def _own_facts(home: Home, last: LastNight, place: Home) -> Path:
    """Contract tables of the last night: from its private file where that is still there."""
    lay_out(home, last.inputs, last.configuration, place)
    try:
        if _is_of(home, last):
            warehouse.hand_over_contract(home, place.contract)
            return place.contract
    except duckdb.Error:  # another night is at it, or has left it half made
        pass
    return _make_facts(last, place)


def _is_of(home: Home, last: LastNight) -> bool:
    if not home.build_file.exists():
        return False
    with duckdb.connect(home.build_file, read_only=True) as connection:
        found = connection.execute("select run_id, code_version from raw.night").fetchone()
    return found == (last.said.run_id, code_version())


def _make_facts(night: LastNight, place: Home) -> Path:
    outcome = run_night(
        Night(
            config_file=str(place.build / CONFIGURATION),
            home_folder=str(place.root),
            as_of=night.said.as_of_date.isoformat(),
            is_rebuilt=True,
        ),
        FACTS,
    )
    if outcome.exit_code:
        raise TrialRefused(outcome)
    warehouse.hand_over_contract(place)
    return place.contract


def _score(facts: Path, night: LastNight, place: Home) -> Path:
    """The folder of what is said of the facts, without waiting for a second night."""
    PROGRESS.info("scoring    %s", place.root.name, extra={"is_running": True})
    report = score_night(
        facts,
        place.root,
        night.configuration.scoring,
        night.said.as_of_date,
        night.said.run_id,
        night.configuration.company.language,
        currency=night.configuration.company.currency,
        confirms_at_once=True,
    )
    return report.folder


def _notes(last: LastNight, tried: Configuration, has_same_facts: bool) -> list[str]:
    notes = [
        "old and new say at once what they see of bands and warnings; nights wait for a second look"
    ]
    if not has_same_facts:
        notes.append("definitions of facts differ: the facts were made again")
    if changed := changed_mappings(last.inputs.landed, tried.sources):
        notes.append(
            f"landed batches were read with the old mapping of {', '.join(changed)}; "
            "`customer-health replay` reads them with the new one"
        )
    return notes


def _customers_of(trial: Trial, total: Row) -> list[str]:
    """The customers of one change, most ARR first; reasons where the change does not say them."""
    rows = [
        row
        for row in trial.differences
        if (row["subject"], row["change"]) == (total["subject"], total["change"])
    ]
    lines = []
    for row in rows[:LISTED]:
        name = row["customer_name"] or row["customer_id"]
        said = "" if " -> " in row["change"] else f": {_reasons(row)}"
        lines.append(f"{name} ({row['customer_id']}){said}")
    if len(rows) > LISTED:
        lines.append(f"and {len(rows) - LISTED:,} more; --json names all")
    return lines


def _reasons(row: Row) -> str:
    sides = [side for side in (row["before"], row["after"]) if side]
    return " -> ".join(sides).replace("_", " ")


def _print_cards(cards: tuple[Row, Row]) -> None:
    OUT.print("report card: old, new")
    horizons = " | ".join(str(card["horizon_days"]) for card in cards)
    OUT.print(f"  {'horizon':<10} {horizons} days", markup=False)
    for figure in ("auc", "precision", "recall"):
        spelled = " | ".join(_with_interval(card, figure) for card in cards)
        OUT.print(f"  {figure:<10} {spelled}", markup=False)
    flips = " | ".join(as_text(card["flips_per_customer_year"]) or "-" for card in cards)
    OUT.print(f"  {'flips':<10} {flips} per customer and year", markup=False)
    for side, card in zip(("old", "new"), cards, strict=True):
        OUT.print(f"  {side:<10} {card['verdict']}", markup=False)


def _with_interval(card: Row, figure: str) -> str:
    value: Any = card.get(figure, card.get(f"{figure}_at_k"))
    if value is None:
        return "not measured"
    low, high = card[f"{figure}_low"], card[f"{figure}_high"]
    interval = f" ({low:.2f} to {high:.2f})" if low is not None and high is not None else ""
    return f"{value:.2f}{interval}"
