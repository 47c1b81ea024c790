"""The `scoring:` section: rules.yml as typed, frozen numbers, a company's own laid over them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
    model_validator,
)

Feed = Literal["usage", "crm", "orders"]
Kind = Literal["risk", "upsell"]
Language = Literal["en", "zh"]

RULES_FILE = Path(__file__).parent / "rules.yml"
# Rules that a night kept are whole: what rules.yml says today does not lie under them.
AS_KEPT = "as kept"


def _listed(feed: Any) -> Any:
    """One feed may be written without a list; none is an error."""
    if feed == []:
        raise ValueError("name at least one feed")
    return [feed] if isinstance(feed, str) else feed


_A_FEED = {"enum": list(get_args(Feed))}
Feeds = Annotated[
    tuple[Feed, ...],
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [_A_FEED, {"type": "array", "items": _A_FEED}]}),
]


def _drop_required(schema: dict[str, Any]) -> None:
    """Every key has a default in rules.yml, so an editor must not ask for any."""
    schema.pop("required", None)


class Section(BaseModel):
    """A frozen part of the rules; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=_drop_required)


class SignalRule(Section):
    """How one signal scores: 0 at `worst`, 100 at `best`, or by `levels` of its text."""

    worst: float | None = None
    best: float | None = None
    levels: dict[str, float] | None = None
    weight: float = Field(default=1.0, gt=0)
    entities: tuple[str, ...] = Field(min_length=1)
    feed: Feeds

    @field_validator("levels", mode="before")
    @classmethod
    def _read_yes_and_no(cls, levels: Any) -> Any:
        # YAML reads an unquoted true as a boolean; signals compare as text.
        if isinstance(levels, Mapping):
            return {str(k).lower() if isinstance(k, bool) else k: v for k, v in levels.items()}
        return levels

    @model_validator(mode="after")
    def _has_one_scale(self) -> SignalRule:
        has_line = self.worst is not None and self.best is not None
        if has_line == (self.levels is not None) or (self.worst is None) != (self.best is None):
            raise ValueError("give either worst and best, or levels")
        if has_line and self.worst == self.best:
            raise ValueError("worst and best must differ")
        if self.levels is not None and any(not 0 <= v <= 100 for v in self.levels.values()):
            raise ValueError("levels must lie between 0 and 100")
        return self


class Condition(Section):
    """A closed range of one signal; a bound left out is open; an unmeasured signal is outside."""

    signal: str
    at_least: float | None = Field(default=None, alias="from")
    at_most: float | None = Field(default=None, alias="to")


class ComponentRule(Section):
    """One component of the score: its weight, where it applies, and its signals."""

    weight: float = Field(ge=0)
    applies_when: tuple[Condition, ...] = ()
    signals: dict[str, SignalRule] = Field(min_length=1)


class BandRule(Section):
    enter: float = Field(ge=0, le=100)
    exit: float = Field(ge=0, le=100)


class BandRules(Section):
    red: BandRule
    green: BandRule

    @model_validator(mode="after")
    def _are_in_order(self) -> BandRules:
        if not self.red.enter <= self.red.exit <= self.green.exit <= self.green.enter:
            raise ValueError("bands must be ordered: red enter, red exit, green exit, green enter")
        return self


class ReasonWording(Section):
    most_signals: int = Field(ge=1)
    minimum_points: float = Field(ge=0)


class HealthRules(Section):
    """The numbers of the health score (METRICS: health score)."""

    minimum_coverage: float = Field(ge=0, le=1)
    minimum_signal_share: float = Field(gt=0, le=1)
    stale_days: dict[Feed, int]
    confirmation_nights: int = Field(ge=1)
    bands: BandRules
    reason: ReasonWording
    trend_tolerance_days: int = Field(ge=0, le=6)
    components: dict[str, ComponentRule]

    @model_validator(mode="after")
    def _names_every_feed(self) -> HealthRules:
        if set(self.stale_days) != {"usage", "crm", "orders"}:
            raise ValueError("stale_days must name usage, crm and orders")
        return self


class ReasonRule(Section):
    """The numbers of one warning reason."""

    order: int
    threshold: float | None = None
    exit_threshold: float | None = None
    numbers: dict[str, float] = Field(default_factory=dict)
    playbook: str
    act_within_days: int = Field(ge=0)
    is_on: bool = True


class WarningRules(Section):
    confirmation_nights: int = Field(ge=1)
    rest_days: int = Field(ge=0)
    keep_closed_days: int = Field(ge=0)
    reasons: dict[str, ReasonRule]

    @field_validator("reasons")
    @classmethod
    def _are_known_and_ordered(cls, reasons: dict[str, ReasonRule]) -> dict[str, ReasonRule]:
        unknown = sorted(set(reasons) - set(read_default_rules()["warnings"]["reasons"]))
        if unknown:
            raise ValueError(f"unknown reasons: {', '.join(unknown)}")
        orders = [reason.order for reason in reasons.values()]
        if len(set(orders)) != len(orders):
            raise ValueError("two reasons have the same order")
        return reasons


class BudgetRules(Section):
    """Whom the hours of a week are for. Rules that older nights kept know no urgency."""

    hours_per_warning: float = Field(gt=0)
    share_without_hours: float = Field(ge=0, le=1)
    urgent_days: int = Field(default=0, ge=0)
    urgent_term_months: float = Field(default=0, ge=0)


class SavingsRules(Section):
    prior: float = Field(ge=0, le=1)
    weight: float = Field(ge=0)
    minimum_cases: int = Field(ge=0)


class GateRules(Section):
    """What a logistic model has to show before it may speak instead of the rules."""

    minimum_events: int = Field(ge=1)
    events_per_feature: int = Field(ge=1)
    confidence: float = Field(gt=0.5, lt=1)
    penalty: float = Field(gt=0)


class ChurnRules(Section):
    """The numbers of the churn probability (METRICS: churn probability)."""

    horizon_days: int = Field(gt=0)
    horizons: tuple[int, ...] = Field(min_length=1)
    grace_days: int = Field(ge=0)
    loss_ratio: float = Field(ge=0, lt=1)
    slope: float = Field(ge=0)
    slope_error: float = Field(gt=0)
    base_rate: float = Field(gt=0, lt=1)
    weight: float = Field(gt=0)
    segment_weight: float = Field(gt=0)
    gate: GateRules

    @model_validator(mode="after")
    def _has_its_own_horizon(self) -> ChurnRules:
        if self.horizon_days not in self.horizons or min(self.horizons) <= 0:
            raise ValueError("horizons must be positive and contain horizon_days")
        return self


class ReportRules(Section):
    """The numbers of the report card (METRICS: report card)."""

    minimum_events: int = Field(ge=1)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100)
    minimum_term_months: float = Field(ge=0)
    treated_within_days: int = Field(ge=0)
    disagreement_days: tuple[int, ...]


class Rules(Section):
    """All rules of a night; `Rules.model_validate(section)` lays the section over rules.yml."""

    version: int
    health: HealthRules
    segments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    warnings: WarningRules
    budget: BudgetRules
    savings: SavingsRules
    churn: ChurnRules
    report: ReportRules

    @model_validator(mode="before")
    @classmethod
    def _lay_over_defaults(cls, section: Any, info: ValidationInfo) -> Any:
        if info.context == AS_KEPT:
            return section
        if section is None:
            return read_default_rules()
        if isinstance(section, Mapping):
            return overlay(read_default_rules(), section)
        return section

    @model_validator(mode="after")
    def _segments_give_valid_rules(self) -> Rules:
        for segment in self.segments:
            try:
                self.health_of(segment)
            except ValidationError as error:
                wrong = error.errors()[0]
                place = ".".join(map(str, ("segments", segment, *wrong["loc"])))
                raise ValueError(f"{place}: {wrong['msg']}") from None
        return self

    def health_of(self, segment: str | None) -> HealthRules:
        """The health rules of a segment: the default with what the segment names laid over it."""
        own = self.segments.get(segment) if segment is not None else None
        if not own:
            return self.health
        default = self.health.model_dump(mode="json", by_alias=True, exclude_none=True)
        return HealthRules.model_validate(overlay(default, own))

    def confirming_at_once(self) -> Rules:
        """The same rules, saying what is seen tonight without waiting for another night."""
        at_once = {"confirmation_nights": 1}
        segments = {
            segment: {key: value for key, value in own.items() if key not in at_once}
            for segment, own in self.segments.items()
        }
        return self.model_copy(
            update={
                "health": self.health.model_copy(update=at_once),
                "warnings": self.warnings.model_copy(update=at_once),
                "segments": segments,
            }
        )

    def as_json(self) -> str:
        """The rules as used, in one canonical spelling; what a night keeps beside its scores."""
        return json.dumps(
            self.model_dump(mode="json", by_alias=True, exclude_none=True),
            sort_keys=True,
            ensure_ascii=False,
            indent=1,
        )

    @property
    def rules_version(self) -> str:
        """The human version and a short hash of every number, such as `1-5c9e0f3a`."""
        return f"{self.version}-{hashlib.sha256(self.as_json().encode()).hexdigest()[:8]}"


def load_rules(section: Mapping[str, Any] | None = None) -> Rules:
    """The rules of a company: rules.yml with its `scoring:` section over it.

    Raises pydantic's ValidationError, which names the place of a wrong key or number.
    """
    return Rules.model_validate(dict(section or {}))


def overlay(default: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """`own` laid over `default`: mappings are joined key by key, anything else is replaced."""
    joined = dict(default)
    for key, value in own.items():
        before = joined.get(key)
        both_map = isinstance(before, Mapping) and isinstance(value, Mapping)
        joined[key] = overlay(before, value) if both_map else value  # type: ignore[arg-type]
    return joined


def read_default_rules() -> dict[str, Any]:
    """rules.yml as plain data; a copy of its own for every caller."""
    return overlay(_parse_rules_file(), {})


@cache
def _parse_rules_file() -> dict[str, Any]:
    parsed = yaml.safe_load(RULES_FILE.read_text(encoding="utf-8"))
    assert isinstance(parsed, dict)
    return parsed
