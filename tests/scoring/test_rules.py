"""rules.yml: its overrides, its errors, its version, and that it agrees with code and words."""

from __future__ import annotations

from string import Formatter

import pytest
from pydantic import ValidationError

from scoring.config import Rules, load_rules
from scoring.health import signals_named
from scoring.reasons import add_warning_signals
from scoring.sentences import read_wordings
from scoring.signals import CUSTOMER_SIGNALS
from scoring.warnings import REASONS
from tests.scoring.contract_frames import customer, signals


def test_the_weights_of_the_default_components_sum_to_100():
    assert sum(c.weight for c in load_rules().health.components.values()) == 100


def test_every_signal_in_the_rules_is_a_column_of_customer_signals():
    assert signals_named(load_rules()) <= set(CUSTOMER_SIGNALS)


def test_every_signal_in_the_rules_has_words():
    named = {s for c in load_rules().health.components.values() for s in c.signals}
    assert named == set(read_wordings()["signals"])


def test_every_reason_has_numbers_a_function_and_words_in_both_languages():
    assert set(load_rules().warnings.reasons) == set(REASONS) == set(read_wordings()["reasons"])
    assert all(reason.sentence.endswith(".") for reason in REASONS.values())


def test_every_figure_in_a_sentence_is_a_column():
    columns = set(add_warning_signals(signals(customer())).columns) | {
        "churn_probability",
        "horizon_days",
        "currency",
    }
    templates = [r.sentence for r in REASONS.values()] + list(read_wordings()["reasons"].values())
    for wordings in read_wordings()["signals"].values():
        templates += [w[language] for w in wordings for language in ("en", "zh")]
    fields = {field for t in templates for _, field, _, _ in Formatter().parse(t) if field}
    assert fields <= columns


def test_both_languages_name_the_same_figures():
    for code, reason in REASONS.items():
        english, chinese = reason.sentence, read_wordings()["reasons"][code]
        found = [
            {field for _, field, _, _ in Formatter().parse(t) if field} for t in (english, chinese)
        ]
        assert found[0] == found[1], code


def test_a_company_names_only_what_it_changes():
    rules = load_rules({"health": {"bands": {"red": {"enter": 30}}}})
    assert rules.health.bands.red.enter == 30
    assert rules.health.bands.red.exit == load_rules().health.bands.red.exit


def test_the_version_changes_with_any_number_and_with_nothing_else():
    default = load_rules().rules_version
    assert default == load_rules({}).rules_version
    assert default.startswith("1-")
    assert load_rules({"savings": {"prior": 0.25}}).rules_version != default


def test_rules_kept_beside_a_night_read_back_the_same():
    rules = load_rules({"segments": {"big": {"minimum_coverage": 0.5}}})
    assert Rules.model_validate_json(rules.as_json()) == rules


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ({"health": {"minimum_coverag": 1}}, "health.minimum_coverag"),
        ({"health": {"bands": {"red": {"enter": 90}}}}, "health.bands"),
        ({"health": {"components": {"support": {"weight": -1}}}}, "components.support.weight"),
        ({"warnings": {"reasons": {"no_such": {"order": 1}}}}, "warnings.reasons"),
        ({"warnings": {"reasons": {"usage_down": {"order": 10}}}}, "warnings.reasons"),
        ({"budget": {"hours_per_warning": 0}}, "budget.hours_per_warning"),
    ],
)
def test_a_wrong_key_or_number_is_named_by_its_place(section, place):
    with pytest.raises(ValidationError) as caught:
        load_rules(section)
    places = [".".join(str(part) for part in error["loc"]) for error in caught.value.errors()]
    assert any(place in found for found in places)


def test_a_wrong_segment_override_is_an_error():
    with pytest.raises(ValidationError):
        load_rules({"segments": {"big": {"minimum_coverage": 7}}})
