"""The one configuration file: every error is a line with its place."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dagster_project.config import ConfigurationError, load
from dagster_project.settings import Definitions, dbt_vars
from dagster_project.starter import configuration_text, write_company_folder

SOURCES = """
sources:
  billing:
    format: csv
    location: inbox
    entities:
      subscriptions: {files: "subscriptions*.csv"}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "customer_health.yml"
    path.write_text(text, encoding="utf-8")
    return path


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(write(folder, text))
    return str(caught.value)


def test_what_a_night_keeps_is_the_configuration_again_in_its_order_and_without_secrets(tmp_path):
    own = """
exports: {publish_to: "sftp://ann:secret@host/health"}
states: {segments: {enterprise: {silent_working_days: 30}}}
tiers: [{name: all}]
scoring:
  segments: {enterprise: {minimum_coverage: 0.4}}
  health:
    components:
      a_new_one:
        weight: 5
        applies_when: [{signal: tenure_days, from: 30}]
        signals: {tenure_days: {worst: 0, best: 90, entities: [customers], feed: crm}}
"""
    configuration = load(write(tmp_path, SOURCES + own))
    kept = json.dumps(configuration.as_kept())
    assert "secret" not in kept and "inbox" not in kept
    again = load(write(tmp_path, kept), is_kept=True)
    assert json.dumps(again.as_kept()) == kept
    assert again.scoring.rules_version == configuration.scoring.rules_version


def test_a_small_file_is_enough(tmp_path):
    configuration = load(write(tmp_path, SOURCES))
    assert configuration.company.currency == "EUR"
    assert configuration.scoring.rules_version


def test_an_unknown_key_is_named_with_its_line(tmp_path):
    error = error_of(tmp_path, "company:\n  name: A\n  colour: red\n" + SOURCES)
    assert error.startswith(f"{tmp_path / 'customer_health.yml'}:3: company.colour: unknown key")


def test_a_wrong_type_is_named_with_what_was_found(tmp_path):
    error = error_of(tmp_path, SOURCES + "states:\n  silent_working_days: soon\n")
    assert ":9: states.silent_working_days:" in error
    assert "'soon'" in error


def test_an_unknown_zone_says_how_to_write_one(tmp_path):
    assert "Europe/Berlin" in error_of(tmp_path, "company: {zone: Berlin}\n" + SOURCES)


def test_an_unknown_entity_and_an_unknown_column_are_named(tmp_path):
    error = error_of(tmp_path, SOURCES.replace("subscriptions:", "subscription:"))
    assert "subscription" in error and "customer_health.yml:" in error
    error = error_of(tmp_path, SOURCES.replace('csv"}', 'csv", columns: {custmer_id: account}}'))
    assert "custmer_id" in error


@pytest.mark.parametrize(
    ("given", "wrong", "said"),
    [
        ("csv", "xlsx", ":4: sources.billing.format: Input should be 'csv', 'jsonl' or 'parquet'"),
        ("location: inbox", "location: ${X}", ":5: ${X} is not set in the environment"),
        ("location", "\tlocation", ":5: not valid YAML"),
        ("location: inbox", "location:", ":5: sources.billing.location: is empty"),
        ('files: "s', 'files: "../s', ":7: sources.billing.entities.subscriptions.files: must be"),
        ('"subscriptions*.csv"', "[a.csv]", ":7: sources.billing.entities.subscriptions.files:"),
        ("csv\n", "csv\n    encoding: ansi\n", ":5: sources.billing.encoding: unknown encoding"),
        ("csv\n", "csv\n    zone: 5\n", ":5: sources.billing.zone: Input should be a valid string"),
        ("csv\n", "csv\n    date_format: DD.MM.YYYY\n", '"%d.%m.%Y"'),
        ("csv\n", 'csv\n    timestamp_format: "%q"\n', "timestamp_format: Failed to parse"),
        ('csv"}', 'csv", columns: {mrr: 5}}', "a number in quotes"),
        ('csv"}', 'csv", columns: {mrr: {sq: x}}}', '{sql: "expression"}'),
        ('csv"}', 'csv", columns: {mrr: {sql: "x /"}}}', "columns.mrr: not an SQL expression"),
        ('csv"}', 'csv", where: "Account Name = 1"}', "where: not an SQL expression"),
        ("\nsources", "\ncompany: {country: NO}\nsources", "write it in quotes (found False)"),
        ("\nsources", "\ncompany: {country: XX}\nsources", "company.country: no working calendar"),
        ("\nsources", "\ncompany: {currency: €}\nsources", "such as EUR (found '€')"),
        ("\nsources", "\nmemory_limit: lots\nsources", "such as 6GB (found 'lots')"),
        ("csv\n", 'csv\n    delimitr: ";"\n', "delimitr: unknown key, did you mean 'delimiter'?"),
        ("\nsources", "\nuse: {core_event: [x]}\nsources", "did you mean 'core_events'?"),
        ("\nsources", "\nx: *nowhere\nsources", ":2: not valid YAML: found undefined alias"),
    ],
)
def test_a_mistake_is_one_line_with_its_place(tmp_path, monkeypatch, given, wrong, said):
    monkeypatch.delenv("X", raising=False)
    assert given in SOURCES
    error = error_of(tmp_path, SOURCES.replace(given, wrong, 1))
    assert said in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            "health: {components: {usage_levl: {weight: 50}}}",
            "health.components.usage_levl: unknown; did you mean usage_level?",
        ),
        (
            "health: {components: {sentiment: {signals: {nps_scor: {weight: 2}}}}}",
            "health.components.sentiment.signals.nps_scor: unknown; did you mean nps_score?",
        ),
        (
            "warnings: {reasons: {usage_donw: {threshold: 0.5}}}",
            "warnings.reasons.usage_donw: unknown; did you mean usage_down?",
        ),
        ("health: {components: {brand: {weight: 5}}}", "health.components.brand.signals: missing"),
    ],
)
def test_a_slip_in_a_name_of_the_rules_is_told_with_the_name_that_was_meant(tmp_path, own, said):
    error = error_of(tmp_path, SOURCES + f"scoring: {{{own}}}\n")
    assert f":8: scoring.{said}" in error
    assert len(error.splitlines()) == 1


def test_a_slip_in_the_rules_of_a_segment_is_told_with_the_segment(tmp_path):
    own = "scoring: {segments: {small: {components: {sentimnt: {weight: 5}}}}}\n"
    error = error_of(tmp_path, SOURCES + own)
    assert "scoring: segments.small.components.sentimnt.signals: Field required" in error


@pytest.mark.parametrize(
    ("own", "said"),
    [
        (
            "money: {grace_days_longer: 120}\n",
            ":8: money.grace_days_longer: money.grace_days_longer (120) is longer than"
            " scoring.churn.grace_days (90)",
        ),
        (
            "scoring: {churn: {grace_days: 60}}\n",
            ":8: scoring.churn: money.grace_days_longer (90) is longer than"
            " scoring.churn.grace_days (60)",
        ),
        (
            "money: {loss_ratio: 0.2}\n",
            ":8: money.loss_ratio: money.loss_ratio (0.2) is below scoring.churn.loss_ratio (0.5)",
        ),
    ],
)
def test_what_is_lost_is_the_same_for_facts_and_scores(tmp_path, own, said):
    assert said in error_of(tmp_path, SOURCES + own)
    both = "money: {grace_days_longer: 120}\nscoring: {churn: {grace_days: 120}}\n"
    assert load(write(tmp_path, SOURCES + both)).scoring.churn.grace_days == 120


def test_a_file_in_another_encoding_tells_its_line(tmp_path):
    path = tmp_path / "customer_health.yml"
    path.write_bytes(b"company:\n  name: M\xfcller\n")
    with pytest.raises(ConfigurationError, match=r":2: is not UTF-8"):
        load(path)


def test_broken_yaml_tells_its_line(tmp_path):
    assert ":3: not valid YAML" in error_of(tmp_path, "company:\n  name: [\n")


def test_a_key_that_stands_twice_is_refused(tmp_path):
    error = error_of(tmp_path, "company: {name: A}\ncompany: {name: B}\n" + SOURCES)
    assert ":2: company: this key stands twice" in error


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ConfigurationError, match="customer-health init"):
        load(tmp_path / "customer_health.yml")


def test_secrets_come_from_the_environment(tmp_path, monkeypatch):
    text = "# ACME_FOLDER: where billing puts its files\n" + SOURCES.replace(
        "location: inbox", "location: ${ACME_FOLDER}"
    )
    monkeypatch.delenv("ACME_FOLDER", raising=False)
    error = error_of(tmp_path, text)
    assert error.endswith(
        "${ACME_FOLDER} is not set in the environment: where billing puts its files"
    )
    monkeypatch.setenv("ACME_FOLDER", "inbox")
    assert load(write(tmp_path, text)).sources.root["billing"].location == "inbox"


def test_what_is_kept_of_a_configuration_holds_no_place_and_no_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK", "json://user:hush@127.0.0.1/hook")
    monkeypatch.setenv("STORE", "sftp://user:hush@far/health")
    text = SOURCES + "\nnotices: {to: ['${HOOK}']}\nexports: {publish_to: '${STORE}'}\n"
    configuration = load(write(tmp_path, text))
    kept = json.dumps(configuration.as_kept())
    assert "hush" not in kept
    assert configuration.notices.to[0].get_secret_value() == "json://user:hush@127.0.0.1/hook"
    assert "hush" not in configuration.model_dump_json(include={"notices"})
    assert configuration.as_kept() == load(write(tmp_path, SOURCES)).as_kept()


@pytest.mark.parametrize(
    "notices", ["{to: ['${HOOK}']}", "{to: '${HOOK}'}", "{digests: ['${HOOK}']}"]
)
def test_a_mistake_in_notices_does_not_tell_the_address(tmp_path, monkeypatch, notices):
    monkeypatch.setenv("HOOK", "pigeon://hush")
    error = error_of(tmp_path, f"{SOURCES}\nnotices: {notices}\n")
    assert "notices." in error and "hush" not in error


@pytest.mark.parametrize("notices", ["{to: ['slack://hush']}", "{digests: {e1: 'slack://hush'}}"])
def test_an_address_written_out_is_refused(tmp_path, notices):
    error = error_of(tmp_path, f"notices: {notices}\n{SOURCES}")
    assert ":1: notices: an address is a secret" in error and "hush" not in error


def test_the_file_that_init_writes_is_valid_as_it_stands(tmp_path):
    config, schema, inbox = write_company_folder(tmp_path / "acme")
    assert load(config).company.name == "My company"
    assert schema.exists() and inbox.is_dir()
    with pytest.raises(ConfigurationError, match="exists already"):
        write_company_folder(tmp_path / "acme")


def test_every_default_stands_in_the_file_that_init_writes_and_is_the_default(tmp_path):
    text = configuration_text()
    active = "\n".join(
        line.removeprefix("# ") if not line.startswith("# yaml-language") else line
        for line in text.splitlines()
        if not line.startswith("      #")
    )
    for key in dbt_vars(Definitions()):
        if key == "tiers":
            continue
        name = re.sub("^(company|north_star|audit|rfm|state)_", "", key)
        assert f"{name}:" in active, key
    for key in ("minimum_coverage", "csv_max_rows", "contact_plan_days", "memory_limit"):
        assert f"{key}:" in active


def test_a_segment_overrides_only_what_it_names():
    definitions = Definitions.model_validate(
        {"states": {"low_below": 0.5, "segments": {"enterprise": {"silent_working_days": 30}}}}
    )
    assert dbt_vars(definitions)["state_segments"] == {"enterprise": {"silent_working_days": 30}}


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        ("silent_days: 30", "silent_days"),
        ("outage_mads: 3", "outage_mads"),
        ("silent_working_days: 3", "dormant_working_days must not exceed silent_working_days"),
    ],
)
def test_a_threshold_of_a_segment_that_cannot_be_is_an_error(tmp_path, threshold, said):
    text = f"{SOURCES}\nstates:\n  segments:\n    enterprise: {{{threshold}}}\n"
    assert said in error_of(tmp_path, text)


def test_cut_points_ascend(tmp_path):
    assert "must ascend" in error_of(tmp_path, f"{SOURCES}\nrfm: {{recency_days: [14, 7]}}\n")
