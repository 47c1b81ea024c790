"""What the company sells and measures: products, prices, features, events, exchange rates."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import date, timedelta

from sample_company.dates import is_working


@dataclass(frozen=True)
class Product:
    """A product; `price` in cents of a euro: a seat and month, a piece, or a call."""

    product_id: str
    name: str
    kind: str
    unit: str | None
    price: int
    closed_on: date | None = None


PRODUCTS = {
    product.product_id: product
    for product in (
        Product("FLOW-BASIC", "Flow Basic", "version", "seat", 1400),
        Product("FLOW-TEAM", "Flow Team", "version", "seat", 2400),
        Product("FLOW-ENTERPRISE", "Flow Enterprise", "version", "seat", 3900),
        Product("FLOW-2020", "Flow 2020", "version", "seat", 1100, date(2025, 1, 1)),
        Product("REPORTS-PLUS", "Reports Plus", "addon_bound", "seat", 500),
        Product("SIGNATURES", "Signatures", "addon_bound", "seat", 300),
        Product("ARCHIVE", "Archive", "addon_independent", "gigabyte", 200),
        Product("SETUP", "Setup and training", "one_time", "day", 118000),
        Product("API-CALLS", "API calls", "usage", "call", 2),
    )
}
VERSIONS = ("FLOW-BASIC", "FLOW-TEAM", "FLOW-ENTERPRISE")
PRICE_RISE_ON = date(2025, 1, 1)
PRICE_RISE = 1.06


def list_price(product_id: str, day: date) -> int:
    """List price in cents on a day: everything but calls rose on `PRICE_RISE_ON`."""
    product = PRODUCTS[product_id]
    if product.kind == "usage" or day < PRICE_RISE_ON:
        return product.price
    return round(product.price * PRICE_RISE)


FEATURES = {  # feature: is it what the product is bought for
    "documents": True,
    "workflows": True,
    "sharing": True,
    "signatures": True,
    "reports": True,
    "comments": False,
    "search": False,
    "exports": False,
    "settings": False,
    "help": False,
}
BASE = ("documents", "workflows", "comments", "search", "settings", "help")
ENTITLEMENTS = {
    "FLOW-2020": BASE,
    "FLOW-BASIC": BASE,
    "FLOW-TEAM": (*BASE, "sharing", "exports"),
    "FLOW-ENTERPRISE": tuple(FEATURES),
    "REPORTS-PLUS": ("reports", "exports"),
    "SIGNATURES": ("signatures",),
    "API-CALLS": BASE,
}
# What customers asked for, and when it came: exports to those entitled, the others not yet.
WISHES = {
    "exports": date(2025, 9, 1),
    "single_sign_on": None,
    "offline_mode": None,
    "translations": None,
}


@dataclass(frozen=True)
class Event:
    """A product event; `share` among the events that follow a login.

    `instead`: what those do who do not have the feature or do not care for it; one that
    everybody has.
    """

    name: str
    feature: str | None
    group: str
    share: float
    instead: str = ""


EVENTS = (
    Event("login", None, "use", 0.0),
    Event("document_created", "documents", "core", 0.15),
    Event("workflow_completed", "workflows", "value", 0.21, "document_created"),
    Event("document_shared", "sharing", "core", 0.13, "comment_written"),
    Event("signature_given", "signatures", "value", 0.06, "document_created"),
    Event("report_viewed", "reports", "core", 0.09, "document_created"),
    Event("comment_written", "comments", "use", 0.12),
    Event("search_run", "search", "use", 0.13),
    Event("export_made", "exports", "use", 0.04, "search_run"),
    Event("settings_changed", "settings", "use", 0.02),
    Event("help_viewed", "help", "help", 0.05),
    Event("notification_sent", None, "excluded", 0.0),
)
EVENT_CODES = {event.name: code for code, event in enumerate(EVENTS)}


CHF_RATE, CHF_KNOWN_FROM = 1.065, date(2026, 6, 1)  # no rate before: what was sold is unknown
CALLS_A_DAY = 180  # of a customer that pays by use, on a working day


def calls_until(first: date, last: date) -> int:
    """Calls one expects from `first` to `last`."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return CALLS_A_DAY * sum(is_working(day) for day in days)


def exchange_rates(first: date, last: date, seed: int) -> dict[date, float]:
    """Euros for one US dollar on every working day, with four decimals."""
    random_ = random.Random(f"{seed}/rates")
    rates, log_rate, day = {}, math.log(0.92), first
    while day <= last:
        if is_working(day):
            log_rate += random_.gauss(0, 0.0035) + 0.01 * (math.log(0.90) - log_rate)
            rates[day] = round(math.exp(log_rate), 4)
        day += timedelta(days=1)
    return rates
