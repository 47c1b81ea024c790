"""Stories of terms: how they begin, go on, grow, shrink, leave gaps and end together.

Every story gets the seller, the customer and the first day, and writes the customer's contracts
from there; most end with `seller.live`, which lets the contract go on by the hazard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, add_months, working_day
from sample_company.selling import Loss, Plan, Seller

Story = Callable[[Seller, Customer, date], None]


def days(count: int) -> timedelta:
    return timedelta(days=count)


def annual(customer: Customer, **changes: object) -> Plan:
    plan = Plan(12, "FLOW-TEAM", link="order", seats=customer.seats)
    return replace(plan, **changes)  # type: ignore[arg-type]


def buy(seller: Seller, customer: Customer, day: date, plan: Plan, *modes: str) -> None:
    """Buy on `day` and live on; `modes` are the first renewals."""
    lines = seller.sell(customer, day - days(5), day, plan)
    seller.live(customer, lines, plan, modes)


def monthly(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, months=1, is_auto=True, link="line")
    buy(seller, customer, day, plan, *["auto"] * 6)


def annual_contract(seller: Seller, customer: Customer, day: date) -> None:
    buy(seller, customer, day, annual(customer), "on_time")


def multi_year(seller: Seller, customer: Customer, day: date) -> None:
    two = annual(customer, months=24)
    lines = seller.renew(seller.sell(customer, day, day, two), replace(two, months=36), "early")
    if lines:
        seller.live(customer, lines, replace(two, months=36))


def addon_bound(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, addons=("REPORTS-PLUS", "SIGNATURES"))
    buy(seller, customer, day, plan, "on_time")


def addon_removed(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, addons=("REPORTS-PLUS",))
    lines = seller.sell(customer, day, day, plan)
    bare = replace(plan, addons=())
    renewed = seller.renew(lines, bare, "on_time")
    if renewed:
        seller.live(customer, renewed, bare)


def version_upgrade(seller: Seller, customer: Customer, day: date) -> None:
    basic = annual(customer, product_id="FLOW-BASIC")
    lines = seller.sell(customer, day, day, basic)
    up = replace(basic, product_id="FLOW-ENTERPRISE")
    on = working_day(day + days(150))
    new = seller.sell(customer, on, on, up, previous=lines, originator="cs", replaces=True)
    seller.live(customer, new, up, ("on_time",))


def seats_added(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer)
    lines = seller.sell(customer, day, day, plan)
    more = replace(plan, seats=plan.seats + 10)
    on, end = working_day(day + days(100)), add_months(day, 12)
    new = seller.sell(customer, on, on, more, previous=lines, end=end, replaces=True)
    seller.live(customer, new, more, ("on_time",))


def downgrade(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, seats=customer.seats + 4)
    lines = seller.sell(customer, day, day, plan)
    fewer = replace(plan, seats=round(plan.seats * 0.7))
    renewed = seller.renew(lines, fewer, "on_time")
    if renewed:
        seller.live(customer, renewed, fewer)


def price_change(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, factor=0.9)
    lines = seller.sell(customer, day, day, plan)
    dearer = replace(plan, factor=1.0)
    renewed = seller.renew(lines, dearer, "on_time")
    if renewed:
        seller.live(customer, renewed, dearer)


def discount_ended(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer)
    lines = seller.sell(customer, day, day, plan, discount=0.2)
    seller.live(customer, lines, plan, ("on_time",))


def renewals(*modes: str) -> Story:
    def story(seller: Seller, customer: Customer, day: date) -> None:
        buy(seller, customer, day, annual(customer), *modes)

    return story


def returned_after_grace(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, months=6)
    buy(seller, customer, day, plan, "after_grace", "on_time")


def short_gap(seller: Seller, customer: Customer, day: date) -> None:
    """Quarters that end near a month's end, renewed after one to seven days."""
    day = working_day(day.replace(day=26))
    plan = annual(customer, months=3)
    buy(seller, customer, day, plan, *["short_gap"] * 6)


def unlinked_renewal(seller: Seller, customer: Customer, day: date) -> None:
    buy(seller, customer, day, annual(customer, link="none"), "on_time", "short_gap")


def coterminated(seller: Seller, customer: Customer, day: date) -> None:
    """An add-on contract of four months later is taken into the version's renewal."""
    plan = annual(customer)
    lines = seller.sell(customer, day, day, plan)
    on = add_months(day, 4)
    addon = annual(customer, product_id="ARCHIVE", seats=80)
    other = seller.sell(customer, on, on, addon)[0]
    due = add_months(day, 12)
    if due > LAST_DAY:
        return
    new = seller.sell(customer, due, due, plan, previous=lines, originator="cs")
    seller.book.succeed(lines[0], new[0], "renewed_on_time")
    price = seller.price(addon, "ARCHIVE", due, due, None)
    second = seller.book.line(
        new[0].order, "ARCHIVE", due, add_months(due, 12), quantity=80, unit_price=price,
        replaces=other,
    )  # fmt: skip
    other.terms[-1].how = "coterminated"
    seller.live(customer, [new[0], second], replace(plan, addons=("ARCHIVE",)))


def auto_renewal(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, is_auto=True)
    lines = seller.sell(customer, day, day, plan)
    if add_months(day, 12) <= LAST_DAY:
        seller.book.extend(lines[0])
    due = add_months(day, 24)
    if due <= LAST_DAY:
        seller.book.refuse(lines[0], working_day(due - days(40)))
        seller.losses.append(Loss(customer, due, "competitor"))


def monthly_orders(seller: Seller, customer: Customer, day: date) -> None:
    plan = annual(customer, months=1, link="none")
    modes = ["on_time", "short_gap", "on_time", "on_time", "short_gap", "on_time"]
    buy(seller, customer, day, plan, *modes)


def month_end_start(seller: Seller, customer: Customer, day: date) -> None:
    """One month from the 31st (to the clipped end of the next), then a year from there."""
    start = day.replace(day=1)
    while start.month != 1:
        start = add_months(start, 1)
    start = start.replace(day=31)
    lines = seller.sell(customer, start - days(3), start, annual(customer, months=1))
    plan = annual(customer)
    renewed = seller.renew(lines, plan, "on_time")
    if renewed:
        seller.live(customer, renewed, plan)
