"""The company's own definitions: every knob of the facts, its default and its meaning.

They reach dbt as vars of the same names; no threshold stands in SQL.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal, Self
from zoneinfo import available_timezones

import holidays
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Section(BaseModel):
    """A part of the configuration: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Company(Section):
    name: str = Field("My company", description="As it stands on the page.")
    zone: str = Field("UTC", description="Time zone in which a day begins, such as Europe/Berlin.")
    currency: str = Field("EUR", description="Currency of published money.")
    country: str | None = Field(None, description="Country of the working calendar, such as DE.")
    language: Literal["en", "zh"] = Field("en", description="Language of sentences: en or zh.")
    started_on: date = Field(date(1990, 1, 1), description="No row is older than the company.")
    fiscal_year_starts_in: int = Field(1, ge=1, le=12, description="Month, 1 to 12.")
    calendar_days_ahead: int = Field(400, ge=1, description="How far the calendar looks ahead.")

    @field_validator("currency")
    @classmethod
    def _currency_is_a_code(cls, currency: str) -> str:
        if not re.fullmatch("[A-Z]{3}", currency):
            raise ValueError("write the code in three capitals, such as EUR")
        return currency

    @field_validator("country")
    @classmethod
    def _country_has_a_calendar(cls, country: str | None) -> str | None:
        if country is not None:
            try:
                holidays.country_holidays(country)
            except NotImplementedError:
                raise ValueError(
                    f"no working calendar of {country!r}; use a code such as DE"
                ) from None
        return country

    @field_validator("zone")
    @classmethod
    def _zone_is_known(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"unknown time zone {zone!r}; use a name such as Europe/Berlin")
        return zone


class Use(Section):
    core_events: list[str] = Field(
        default_factory=list,
        description="Events that are core use; with none, events of features marked core are.",
    )
    value_events: list[str] = Field(
        default_factory=list,
        description="Events that show value, the north star's; with none, core use counts.",
    )
    help_events: list[str] = Field(default_factory=list, description="Events of looking for help.")
    excluded_events: list[str] = Field(
        default_factory=list, description="Events that are no use at all, such as imports."
    )
    login_event: str = Field("login", description="Event name of a login.")
    seat_unit: str = Field("seat", description="Unit whose quantity counts seats.")


class StateThresholds(Section):
    """Thresholds of the usage states, for all customers or for those of a segment."""

    silent_working_days: int = Field(20, ge=1, description="No use this long: silent.")
    dormant_working_days: int = Field(5, ge=1, description="No use this long: dormant.")
    resurrected_days: int = Field(28, ge=1, description="Days a return after silence is marked.")
    onboarding_days: int = Field(90, ge=1, description="Days a customer counts as onboarding.")
    declining_weeks: int = Field(2, ge=1, description="Weeks below the band: declining.")
    declining_baseline_weeks: int = Field(8, ge=2, description="Weeks the band is made from.")
    declining_mads: float = Field(2.0, gt=0, description="Width of the band, in scaled MADs.")
    declining_min_users: int = Field(2, ge=0, description="Users that must be missing at least.")
    low_below: float = Field(0.6, ge=0, description="Use level below this: low.")
    high_from: float = Field(0.9, ge=0, description="Use level from here: high.")
    level_weeks: int = Field(4, ge=1, description="Weeks the level is the mean of.")
    seat_target_ratio: float = Field(0.5, gt=0, description="Share of seats used when well used.")
    best_median_weeks: int = Field(12, ge=1, description="Weeks of the best median.")
    best_window_weeks: int = Field(52, ge=1, description="Weeks searched for the best median.")
    confirm_days: int = Field(2, ge=1, description="Days running a state must be seen.")


class States(StateThresholds):
    segments: dict[str, StateThresholds] = Field(
        default_factory=dict,
        description="Thresholds above that differ for a segment, under its name.",
    )
    outage_drop_ratio: float = Field(
        0.5, gt=0, le=1, description="A feed this far under its usual volume has an outage."
    )
    outage_baseline_weeks: int = Field(8, ge=2, description="Same weekdays the usual is made of.")
    outage_min_tenants: int = Field(3, ge=1, description="Fewer tenants tell nothing of a feed.")
    outage_mads: float = Field(3.0, ge=0, description="Width of a feed's usual, in scaled MADs.")
    anomaly_spread_days: int = Field(
        120, ge=4, description="Days of a kind (working days, weekends) that tell a feed's noise."
    )
    anomaly_mads: float = Field(4.0, gt=0, description="Beyond this noise: a volume alarm.")
    anomaly_min_change: float = Field(0.05, ge=0, description="A smaller change is no alarm.")
    anomaly_min_events: int = Field(100, ge=1, description="Days with fewer usual tell nothing.")
    nothing_min_events: int = Field(20, ge=1, description="Usual events whose lack is an alarm.")
    anomaly_alarm_days: int = Field(7, ge=1, description="Days that a volume alarm stands.")
    matrix_baseline_weeks: int = Field(
        12, ge=1, description="Weeks from which transitions are expected."
    )
    before_loss_weeks: int = Field(26, ge=1, description="Weeks looked at before a loss.")
    trend_weeks: int = Field(8, ge=3, description="Complete weeks of the login trend.")
    trend_flat_below: float = Field(0.02, ge=0, description="Weekly slope called flat.")
    trend_min_working_days: int = Field(3, ge=1, description="Weeks with fewer are skipped.")

    @model_validator(mode="after")
    def _thresholds_are_in_order(self) -> Self:
        company = {name: getattr(self, name) for name in StateThresholds.model_fields}
        for where, own in (("states", {}), *self.segment_overrides().items()):
            values = company | own
            for lower, higher in (
                ("dormant_working_days", "silent_working_days"),
                ("low_below", "high_from"),
            ):
                if values[lower] > values[higher]:
                    raise ValueError(f"{where}: {lower} must not exceed {higher}")
        return self

    def segment_overrides(self) -> dict[str, dict[str, Any]]:
        """The thresholds that each segment has of its own."""
        return {
            segment: thresholds.model_dump(mode="json", exclude_unset=True)
            for segment, thresholds in self.segments.items()
        }


class NorthStar(Section):
    name: str = Field("weekly_value_customers", description="Name of the metric.")
    min_actions: int = Field(1, ge=1, description="Value actions in a week, at least.")
    min_users: int = Field(1, ge=1, description="Users that did them, at least.")


CostCategory = Literal["sales", "marketing", "onboarding", "cs", "support", "hosting", "rd"]
DEFAULT_COST_OF_REVENUE: list[CostCategory] = ["hosting", "support"]


class ArrStage(Section):
    name: str = Field(description="Name of the company's stage.")
    min_arr: float = Field(0, ge=0, description="ARR from which the company is in it.")


DEFAULT_ARR_STAGES = [
    ArrStage(name="scale", min_arr=100_000_000),
    ArrStage(name="growth", min_arr=10_000_000),
    ArrStage(name="early", min_arr=1_000_000),
    ArrStage(name="start", min_arr=0),
]


class Rfm(Section):
    """Cut points by value, ascending: equal values fall into the same class."""

    recency_days: list[int] = Field(
        [7, 14, 28, 90], max_length=8, description="Days since the last use, at most."
    )
    frequency_28d: list[int] = Field(
        [2, 5, 10, 16], max_length=8, description="Days with use among 28, at least."
    )
    amount_12m: list[float] = Field(
        [1000, 5000, 20000, 50000], max_length=8, description="Paid in 12 months, at least."
    )

    @field_validator("*")
    @classmethod
    def _cuts_ascend(cls, cuts: list[float]) -> list[float]:
        if cuts != sorted(set(cuts)):
            raise ValueError("cut points must ascend")
        return cuts


class Money(Section):
    gap_days: int = Field(7, ge=0, description="A gap this short to a known successor is no loss.")
    grace_days_monthly: int = Field(14, ge=0, description="Grace of terms up to one month.")
    grace_days_half_year: int = Field(30, ge=0, description="Grace of terms up to six months.")
    grace_days_longer: int = Field(90, ge=0, description="Grace of longer terms.")
    successor_window_days: int = Field(
        180, ge=0, description="A successor may start this long before the due date."
    )
    on_time_days: int = Field(7, ge=0, description="Closed this long after due is still on time.")
    due_horizon_months: int = Field(12, ge=1, description="Due later than this: not due.")
    close_days: int = Field(5, ge=0, description="A month is closed this long after its end.")
    short_term_months: int = Field(3, ge=1, description="Shorter terms form a class of their own.")
    loss_ratio: float = Field(0.5, gt=0, lt=1, description="MRR left at most: a loss.")
    loss_horizon_days: int = Field(180, ge=1, description="The MRR before is sought this far back.")
    usage_mrr_months: int = Field(3, ge=1, description="Closed months of the usage revenue mean.")
    forecast_cohorts: int = Field(
        12, ge=1, description="Mature due months whose renewal rate a forecast takes."
    )
    talk_lead_days: list[int] = Field(
        default=[30, 60, 90, 180],
        min_length=1,
        description="Bounds of the lead of a renewal talk, days before the due date.",
    )
    recognition_milestone: Literal["signed", "approved", "paid", "delivered", "accepted"] = Field(
        "delivered", description="Milestone of an order from which its revenue may be recognised."
    )
    wallet_burn_days: int = Field(90, ge=1, description="Days of a wallet's mean outflow.")
    trial_conversion_days: int = Field(
        60, ge=0, description="A first payment this long after a trial's end still comes from it."
    )
    cs_originator: str = Field("cs", description="originator_role of orders that CS brought.")
    arr_stages: list[ArrStage] = Field(
        default_factory=lambda: DEFAULT_ARR_STAGES, description="Stages of the company by ARR."
    )
    cost_of_revenue: list[CostCategory] = Field(
        default_factory=lambda: DEFAULT_COST_OF_REVENUE,
        min_length=1,
        description="Categories of costs that the gross margin is after.",
    )
    lifetime_cap_months: int = Field(60, ge=1, description="No lifetime is taken for longer.")
    ltv_resamples: int = Field(
        200, ge=100, le=2000, description="Cohorts drawn anew for the interval of their LTV."
    )
    least_losses: int = Field(20, ge=1, description="With fewer a year, no LTV by churn.")

    @field_validator("arr_stages")
    @classmethod
    def _highest_stage_first(cls, stages: list[ArrStage]) -> list[ArrStage]:
        return sorted(stages, key=lambda stage: -stage.min_arr)


Span = Literal[
    "prospect",
    "trial",
    "signed",
    "paying",
    "first_days",
    "onboarding_open",
    "renewal_window",
    "renewal_talks",
]


class Journey(Section):
    """Each stage of the journey is entered when the span named here begins."""

    select: Span = Field("prospect", description="Looking at us.")
    trial: Span = Field("trial", description="Trying.")
    signed: Span = Field("signed", description="Signed, not started.")
    onboarding: Span = Field("onboarding_open", description="Paying, being brought into use.")
    in_use: Span = Field("paying", description="Paying; when no other stage of payers holds.")
    renewing: Span = Field("renewal_window", description="Paying, about to renew or not.")


Stage = Literal["select", "trial", "signed", "onboarding", "in_use", "renewing"]
RecordField = Literal[
    "customer_name", "industry", "region", "country", "employee_count", "segment", "fit_pct",
    "goal_status", "primary_contact_name", "csm_id", "sales_id", "current_version",
    "next_renewal_date", "seats_bought",
]  # fmt: skip

DEFAULT_REQUIRED_FIELDS: dict[Stage, list[RecordField]] = {
    "select": ["customer_name", "industry", "country", "employee_count", "sales_id"],
    "trial": ["primary_contact_name", "fit_pct"],
    "signed": ["segment", "current_version", "csm_id"],
    "onboarding": ["primary_contact_name", "csm_id", "goal_status"],
    "in_use": ["primary_contact_name", "csm_id", "goal_status"],
    "renewing": ["primary_contact_name", "csm_id", "next_renewal_date"],
}


class Service(Section):
    go_live_step: str = Field("go_live", description="Step whose end starts the 90 days.")
    first_value_days: int = Field(90, ge=1, description="Value must be seen by then.")
    lost_contact_multiple: float = Field(2.0, gt=0, description="Beyond this plan: lost contact.")
    survey_fresh_days: int = Field(180, ge=1, description="Older answers are not measured.")
    assessment_fresh_days: int = Field(90, ge=1, description="Older CSM views are not measured.")
    stale_after_days: int = Field(3, ge=0, description="Silent longer than this: a stale source.")
    max_quarantined_share: float = Field(
        0.05, ge=0, le=1, description="A larger share of an entity's rows in quarantine: an alarm."
    )
    max_orphaned_share: float = Field(
        0.1, ge=0, le=1, description="More rows that name an unknown customer or order: an alarm."
    )
    renewal_window_days: int = Field(
        90, ge=1, description="A renewal is worked on this long before it is due."
    )
    renewal_hours: float = Field(4.0, ge=0, description="Hours of ours a renewal takes.")
    csm_role: str = Field("csm", description="Role in ownerships that cares for a customer.")
    sales_role: str = Field("sales", description="Role in ownerships that sells.")
    signal_history_weeks: int = Field(104, ge=1, description="Weekly past dates for the score.")
    abandoned_weeks: int = Field(
        4, ge=1, description="Weeks without use that abandon a product in the first 90 days."
    )
    is_support_in_working_hours: bool = Field(
        False, description="Response and resolution times count working hours only."
    )
    support_opens_at: float = Field(9, ge=0, lt=24, description="Hour a working day begins.")
    support_closes_at: float = Field(17, gt=0, le=24, description="Hour a working day ends.")
    save_horizon_days: int = Field(
        90, ge=1, description="A playbook saved a customer that lost nothing for so long."
    )
    review_weeks: int = Field(13, ge=1, description="Past weeks in the weekly review.")
    required_fields: dict[Stage, list[RecordField]] = Field(
        default_factory=lambda: DEFAULT_REQUIRED_FIELDS,
        description="What a record must hold in each stage of the journey.",
    )

    @model_validator(mode="after")
    def _support_closes_after_it_opens(self) -> Service:
        if self.support_closes_at <= self.support_opens_at:
            raise ValueError("support_closes_at must be later than support_opens_at")
        return self


class IcpCriterion(Section):
    column: Literal["industry", "region", "country", "segment", "employee_count", "fit_pct"] = (
        Field(description="What is looked at.")
    )
    values: list[str] = Field(default_factory=list, description="One of these, for words.")
    at_least: float | None = Field(None, description="Lower bound, for numbers.")
    at_most: float | None = Field(None, description="Upper bound, for numbers.")

    @model_validator(mode="after")
    def _asks_something(self) -> IcpCriterion:
        is_number = self.column in ("employee_count", "fit_pct")
        has_bounds = self.at_least is not None or self.at_most is not None
        if is_number != has_bounds or is_number == bool(self.values):
            raise ValueError("words need values, numbers at_least or at_most")
        return self


class Audit(Section):
    approver_roles: list[str] = Field(
        default_factory=lambda: ["finance"], description="Roles that may approve an order."
    )
    approval_days: int = Field(5, ge=0, description="Days until an order is approved, at most.")
    unpaid_days: int = Field(30, ge=0, description="Nothing paid this long after due: unpaid.")
    expiry_days: int = Field(7, ge=0, description="Used this long after the end: used on.")
    shared_domains: list[str] = Field(
        default_factory=lambda: [
            "gmail.com",
            "googlemail.com",
            "outlook.com",
            "hotmail.com",
            "yahoo.com",
            "icloud.com",
            "gmx.de",
            "web.de",
            "qq.com",
            "163.com",
        ],
        description="Mail domains that many companies share: they tell nobody apart.",
    )


class Tier(Section):
    name: str = Field(description="Name of the tier.")
    min_arr: float = Field(0, ge=0, description="ARR from which a customer is in it.")
    service_mode: str = Field("one_to_many", description="one_to_one, one_to_few or one_to_many.")
    contact_plan_days: int = Field(90, ge=1, description="Days between contacts as planned.")
    hours_per_month: float = Field(0.5, ge=0, description="Hours a customer of it takes.")


DEFAULT_TIERS = [
    Tier(
        name="enterprise",
        min_arr=50000,
        service_mode="one_to_one",
        contact_plan_days=30,
        hours_per_month=6,
    ),
    Tier(
        name="growth",
        min_arr=10000,
        service_mode="one_to_few",
        contact_plan_days=60,
        hours_per_month=2,
    ),
    Tier(
        name="scale",
        min_arr=0,
        service_mode="one_to_many",
        contact_plan_days=120,
        hours_per_month=0.25,
    ),
]


class Definitions(Section):
    """All sections that become dbt vars."""

    company: Company = Field(default_factory=Company)
    use: Use = Field(default_factory=Use)
    states: States = Field(default_factory=States)
    north_star: NorthStar = Field(default_factory=NorthStar)
    rfm: Rfm = Field(default_factory=Rfm)
    money: Money = Field(default_factory=Money)
    service: Service = Field(default_factory=Service)
    audit: Audit = Field(default_factory=Audit)
    journey_stages: Journey = Field(default_factory=Journey)
    tiers: list[Tier] = Field(default_factory=lambda: DEFAULT_TIERS, min_length=1)
    icp: list[IcpCriterion] = Field(
        default_factory=list, description="What the ideal customer is like."
    )


def dbt_vars(definitions: Definitions, hours_per_warning: float = 2.0) -> dict[str, Any]:
    """The vars dbt sees: every field by its name, four sections with their own before it.

    `hours_per_warning` is a rule of scoring's, which the load of a CSM needs too.
    """
    values: dict[str, Any] = {}
    for field in ("company", "north_star", "audit", "rfm"):
        section = getattr(definitions, field).model_dump(mode="json")
        values |= {f"{field}_{key}": value for key, value in section.items()}
    for field in ("use", "states", "money", "service"):
        values |= getattr(definitions, field).model_dump(mode="json")
    values["journey_stages"] = definitions.journey_stages.model_dump(mode="json")
    del values["segments"]
    values["state_segments"] = definitions.states.segment_overrides()
    values["hours_per_warning"] = hours_per_warning
    values["icp"] = [criterion.model_dump(mode="json") for criterion in definitions.icp]
    values["tiers"] = [
        tier.model_dump(mode="json")
        for tier in sorted(definitions.tiers, key=lambda tier: -tier.min_arr)
    ]
    return values
