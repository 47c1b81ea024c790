"""Who the customers are: one `Customer` each, before anything was sold to them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from sample_company.dates import LAST_DAY, first_day, working_day
from sample_company.stories import assign

FIRST = (
    "Adler", "Berg", "Brunnen", "Delta", "Eichen", "Falken", "Fichten", "Franken", "Hafen",
    "Hansa", "Heide", "Isar", "Kiefern", "Kranich", "Linden", "Main", "Merkur", "Mosel",
    "Neckar", "Nord", "Oder", "Ost", "Rhein", "Saale", "Sonnen", "Spree", "Stern", "Sued",
    "Tauber", "Ulmen", "Wald", "Werra", "Weser", "West", "Wiesen", "Wolken",
)  # fmt: skip
SECOND = (
    "bau", "druck", "energie", "fracht", "glas", "handel", "holz", "labor", "licht", "logistik",
    "medien", "metall", "mobil", "optik", "pharma", "planung", "technik", "textil", "verlag",
    "versand", "werk", "zement",
)  # fmt: skip
LEGAL_FORMS = ("GmbH", "AG", "KG", "SE", "eG")
INDUSTRIES = ("manufacturing", "logistics", "health", "software", "public", "retail", "energy")
PLACES = (
    ("north", "DE"), ("south", "DE"), ("west", "DE"), ("east", "DE"), ("alps", "AT"),
    ("alps", "CH"), ("benelux", "NL"), ("overseas", "US"),
)  # fmt: skip
ALWAYS_PAYS = frozenset(  # told as they are only if the customer is still there at the end
    (
        "never_started", "onboarding_stuck", "declining", "dormant", "silent", "resurrected",
        "low_use", "used_without_value", "ugly_stayer",
        "lost_contact", "owner_left", "no_owner", "champion_left", "tickets_pile_up",
        "overdue_payment", "second_onboarding", "renewal_talk",
        "opened_by_hand", "changed_by_hand", "not_opened", "beyond_entitlement", "two_csms",
        "missing_rate", "tenant_unknown", "tenant_late", "shared_user", "quota",
    )
)  # fmt: skip


@dataclass(slots=True)
class Customer:
    """A customer's own facts; `first_day` is the day its first trial or term may start."""

    index: int
    customer_id: str
    name: str
    created_on: date
    first_day: date
    industry: str
    region: str
    country: str
    employee_count: int
    segment: str
    seats: int
    currency: str
    legal_id: str
    domain: str
    fit_pct: int
    fit_with_roadmap_pct: int
    stories: set[str]
    tenant_ids: list[str] = field(default_factory=list)
    parent_customer_id: str | None = None
    merged_into_customer_id: str | None = None
    closed_on: date | None = None

    @property
    def is_protected(self) -> bool:
        """Its story needs it to be there at the last day."""
        return bool(self.stories & ALWAYS_PAYS)


def make_customers(count: int, months: int, seed: int, no_signal: bool = False) -> list[Customer]:
    """`count` customers, those with stories first, in order of their number."""
    random_ = random.Random(f"{seed}/customers")
    start = first_day(months)
    span = (LAST_DAY - start).days
    customers: list[Customer] = []
    for index, stories in enumerate(assign(count, no_signal)):
        if stories:  # early enough for its story to be told
            first = start + timedelta(days=random_.randrange(20, max(21, span // 5)))
        elif random_.random() < 0.4:
            first = start + timedelta(days=random_.randrange(5, min(150, span)))
        else:
            first = start + timedelta(days=random_.randrange(5, max(6, span - 20)))
        seats = max(5, min(900, round(math.exp(random_.gauss(2.4, 0.85)))))
        if stories & {"declining", "resurrected", "low_use", "healthy_churner"}:
            seats = max(seats, 45)
        region, country = random_.choices(PLACES, weights=(6, 6, 6, 3, 2, 1, 1, 2))[0]
        first = working_day(first)
        while first.day > 28:  # terms start on a day every month has, unless a story says so
            first = working_day(first + timedelta(days=1))
        root = f"{random_.choice(FIRST)}{random_.choice(SECOND)}"
        customers.append(
            Customer(
                index=index,
                customer_id=f"C{index + 1:06d}",
                name=f"{root} {index + 1} {random_.choice(LEGAL_FORMS)}",
                created_on=first - timedelta(days=random_.randrange(20, 90)),
                first_day=first,
                industry=random_.choice(INDUSTRIES),
                region=region,
                country=country,
                employee_count=seats * random_.randrange(3, 30),
                segment="enterprise" if seats >= 60 else "mid" if seats >= 16 else "small",
                seats=seats,
                currency=_currency(country, stories),
                legal_id=f"HRB{100000 + index * 7}",
                domain=f"{root.lower()}-{index + 1}.example",
                fit_pct=(fit := random_.choice((20, 25, 45, 60, 70, 75, 80, 85, 90, 95))),
                fit_with_roadmap_pct=min(100, fit + random_.choice((0, 5, 10, 20))),
                stories=stories,
                tenant_ids=[f"t-{index + 1:06d}"],
            )
        )
        if stories & {"two_tenants", "tenant_unknown", "tenant_late"}:
            customers[-1].tenant_ids.append(f"t-{index + 1:06d}-b")
        if "trial_elsewhere" in stories:
            _copy_identity(customers[index - 1], customers[-1], index)
        if "subsidiary" in stories:
            customers[-1].parent_customer_id = customers[max(0, index - 25)].customer_id
        if "merged" in stories:
            customers[-1].merged_into_customer_id = customers[max(0, index - 30)].customer_id
    return customers


def _currency(country: str, stories: set[str]) -> str:
    if "missing_rate" in stories:
        return "CHF"
    return "USD" if country == "US" or "usd_contract" in stories else "EUR"


def _copy_identity(other: Customer, customer: Customer, index: int) -> None:
    """The same company under another record: told by one of three marks alone."""
    mark = ("legal_id", "domain", "name")[index % 3]
    setattr(customer, mark, getattr(other, mark))
