"""What is sold to whom: each contract story as one short function, and everyone else by chance.

Every function gets the seller, the customer and the first day, and writes the customer's
contracts from there; most end with `seller.live`, which lets the contract go on by the hazard.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from sample_company.contract_book import Line, Subscription, Term
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, add_months, moment, working_day
from sample_company.selling import Loss, Plan, Seller
from sample_company.stories import CONTRACT_STORIES, USE_STORIES

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


def trial_then_paid(seller: Seller, customer: Customer, day: date) -> None:
    trial = seller.trial(customer, day)
    trial.terms[-1].how = "converted"
    buy(seller, customer, day + days(14), annual(customer), "on_time")


def trial_only(seller: Seller, customer: Customer, day: date) -> None:
    seller.trial(customer, day, 30).terms[-1].how = "expired"


def repeated_trial(seller: Seller, customer: Customer, day: date) -> None:
    seller.trial(customer, day).terms[-1].how = "expired"
    seller.trial(customer, day + days(60)).terms[-1].how = "converted"
    buy(seller, customer, day + days(74), annual(customer), "on_time")


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


def lifetime(seller: Seller, customer: Customer, day: date) -> None:
    order = seller.book.order(customer, day)
    seller.book.line(order, "FLOW-2020", day, None, customer.seats, 45000)
    plan = annual(customer, product_id="ARCHIVE", seats=50)
    buy(seller, customer, day, plan, "on_time", "on_time")


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
    """The version runs from `day`, the add-on contract from four months later; both renew as one."""
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
        new[0].order, "ARCHIVE", due, add_months(due, 12), 80, price, replaces=other
    )
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


def full_refund(seller: Seller, customer: Customer, day: date) -> None:
    lines = seller.sell(customer, day, day, annual(customer))
    on = working_day(day + days(35))
    seller.book.refund(lines[0].order, on)
    seller.losses.append(Loss(customer, on, "no_need"))


def cancelled_before_start(seller: Seller, customer: Customer, day: date) -> None:
    start = day + days(30)
    order = seller.sell(customer, day, start, annual(customer))[0].order
    on = working_day(day + days(10))
    order.status, order.cancelled_at = "cancelled", moment(on, 13, 30)
    seller.book.end(order.lines[0], on, "cancelled", on)
    buy(seller, customer, day + days(80), annual(customer), "on_time")


def cancelled_in_term(seller: Seller, customer: Customer, day: date) -> None:
    order = seller.sell(customer, day, day, annual(customer))[0].order
    on = working_day(day + days(200))
    order.status, order.cancelled_at = "cancelled", moment(on, 13, 30)
    seller.book.end(order.lines[0], on, "cancelled", on)
    seller.losses.append(Loss(customer, on, "service"))


def never_approved(seller: Seller, customer: Customer, day: date) -> None:
    for status, later in (("draft", 0), ("submitted", 12)):
        order = seller.book.order(customer, day + days(later), status=status)
        price = seller.price(annual(customer), "FLOW-TEAM", day, day, None)
        start = day + days(later)
        seller.book.line(order, "FLOW-TEAM", start, add_months(start, 12), customer.seats, price)
    buy(seller, customer, day + days(40), annual(customer), "on_time")


def pay_as_you_go(seller: Seller, customer: Customer, day: date) -> None:
    order = seller.book.order(customer, day, originator="self")
    seller.book.line(order, "API-CALLS", day, None, 1, 2)


def usage_beside_terms(seller: Seller, customer: Customer, day: date) -> None:
    pay_as_you_go(seller, customer, day)
    order = seller.book.order(customer, day)
    seller.book.line(order, "SETUP", None, None, 3, 118000)
    buy(seller, customer, day, annual(customer), "on_time")


def legacy_subscription(seller: Seller, customer: Customer, day: date) -> None:
    """Subscriptions of an older billing system: a trial, an amount for a year, monthly amounts."""
    monthly_amount = 1500 * customer.seats
    previous: Subscription | None = None
    starts = [(day, day + days(30))]
    starts += [(starts[0][1], add_months(starts[0][1], 12))]
    while starts[-1][1] <= LAST_DAY:
        starts.append((starts[-1][1], add_months(starts[-1][1], 12)))
    for number, (start, end) in enumerate(starts):
        is_trial = number == 0
        subscription = Subscription(
            subscription_id=f"LS-{customer.index + 1:06d}-{number + 1}",
            customer=customer,
            product_id="FLOW-2020",
            booked_at=moment(start, 9),
            term_start=start,
            term_end=end,
            monthly=None if number == 1 else 0 if is_trial else monthly_amount,
            amount=monthly_amount * 12 if number == 1 else None,
            currency=customer.currency,
            quantity=customer.seats,
            is_trial=is_trial,
            cancelled_at=None,
            previous_subscription_id=previous.subscription_id if previous else None,
        )
        seller.book.subscribe(subscription)
        previous = subscription
        monthly_amount = round(monthly_amount * 1.03)


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


def overlap(seller: Seller, customer: Customer, day: date) -> None:
    seller.sell(customer, day, day, annual(customer, seats=5, link="none"))
    start = day + days(300)
    buy(seller, customer, start, annual(customer, link="none"), "on_time")


def signed_not_started(seller: Seller, customer: Customer, day: date) -> None:
    seller.sell(customer, LAST_DAY - days(12), LAST_DAY + days(20), annual(customer))


def business_closed(seller: Seller, customer: Customer, day: date) -> None:
    lines = seller.sell(customer, day, day, annual(customer, months=24))
    on = working_day(day + days(330))
    customer.closed_on = on
    seller.book.cancel(lines[0], on)
    seller.losses.append(Loss(customer, on, "business_closed"))


def nothing(seller: Seller, customer: Customer, day: date) -> None:
    """A record without contracts: a prospect."""


def merged(seller: Seller, customer: Customer, day: date) -> None:
    """Its own record bought storage before it was merged into the other."""
    plan = annual(customer, product_id="ARCHIVE", seats=30)
    buy(seller, customer, day, plan, "on_time", "on_time")


def healthy_churner(seller: Seller, customer: Customer, day: date) -> None:
    lines = seller.sell(customer, day, day, annual(customer))
    last: Term = lines[0].terms[-1]
    while last.end is not None and last.end < LAST_DAY - days(330):
        renewed = seller.renew(lines, annual(customer), "on_time")
        assert renewed is not None
        lines, last = renewed, renewed[0].terms[-1]
    if last.end is not None and last.end <= LAST_DAY:
        last.how = "not_renewed"
        seller.losses.append(Loss(customer, last.end, "competitor"))


def stays(seller: Seller, customer: Customer, day: date) -> None:
    """A customer whose story is in its use or its service."""
    if "failed_onboarding" in customer.stories:
        day = working_day(LAST_DAY - days(160))
    buy(seller, customer, day, annual(customer, is_auto=customer.index % 2 == 0))


SPECIAL: dict[str, Story] = {
    "trial_then_paid": trial_then_paid,
    "trial_only": trial_only,
    "repeated_trial": repeated_trial,
    "monthly": monthly,
    "annual": annual_contract,
    "multi_year": multi_year,
    "lifetime": lifetime,
    "addon_bound": addon_bound,
    "addon_removed": addon_removed,
    "version_upgrade": version_upgrade,
    "seats_added": seats_added,
    "downgrade": downgrade,
    "price_change": price_change,
    "discount_ended": discount_ended,
    "renewed_early": renewals("early"),
    "renewed_late": renewals("late"),
    "renewed_backdated": renewals("backdated"),
    "returned_after_grace": returned_after_grace,
    "short_gap": short_gap,
    "unlinked_renewal": unlinked_renewal,
    "coterminated": coterminated,
    "auto_renewal": auto_renewal,
    "full_refund": full_refund,
    "cancelled_before_start": cancelled_before_start,
    "cancelled_in_term": cancelled_in_term,
    "never_approved": never_approved,
    "pay_as_you_go": pay_as_you_go,
    "usage_beside_terms": usage_beside_terms,
    "legacy_subscription": legacy_subscription,
    "monthly_orders": monthly_orders,
    "month_end_start": month_end_start,
    "overlap": overlap,
    "signed_not_started": signed_not_started,
    "business_closed": business_closed,
    "prospect": nothing,
    "merged": merged,
    "healthy_churner": healthy_churner,
    "never_started": stays,
    "failed_onboarding": stays,
    "declining": stays,
    "dormant": stays,
    "silent": stays,
    "resurrected": stays,
    "low_use": stays,
    "used_without_value": stays,
    "ugly_stayer": stays,
}


def write_contracts(seller: Seller, customers: list[Customer]) -> None:
    """Sell to every customer by its story, or by chance."""
    for customer in customers:
        name = next((n for n in (*CONTRACT_STORIES, *USE_STORIES) if n in customer.stories), "")
        if name in SPECIAL:
            SPECIAL[name](seller, customer, customer.first_day)
        elif name:  # told elsewhere (tenants, currency, payments, files); any contract will do
            buy(seller, customer, customer.first_day, annual(customer), "on_time")
        else:
            _sell_by_chance(seller, customer)


def _sell_by_chance(seller: Seller, customer: Customer) -> None:
    day = customer.first_day
    chance = seller.random.random()
    if not customer.is_protected:
        if chance < 0.03:
            return  # a prospect
        if chance < 0.08:
            trial_only(seller, customer, day)
            return
    if chance < 0.45:
        seller.trial(customer, day).terms[-1].how = "converted"
        day += days(14)
        if day > LAST_DAY:
            return
        while day.day > 28:
            day += days(1)
    plan = seller.plan(customer)
    lines: list[Line] = seller.sell(customer, day - days(2), day, plan)
    seller.live(customer, lines, plan)
