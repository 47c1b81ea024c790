"""Stories of orders: trials, refunds, cancellations, drafts, use-priced lines, other systems."""

from __future__ import annotations

from datetime import date

from sample_company.catalogue import calls_until
from sample_company.contract_book import Subscription
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, add_months, moment, working_day
from sample_company.selling import Loss, Seller
from sample_company.term_stories import annual, buy, days


def trial_then_paid(seller: Seller, customer: Customer, day: date) -> None:
    trial = seller.trial(customer, day)
    trial.terms[-1].how = "converted"
    buy(seller, customer, day + days(14), annual(customer), "on_time")


def trial_only(seller: Seller, customer: Customer, day: date) -> None:
    term = seller.trial(customer, day, 30).terms[-1]
    term.how = "expired" if term.end else ""


def repeated_trial(seller: Seller, customer: Customer, day: date) -> None:
    seller.trial(customer, day).terms[-1].how = "expired"
    seller.trial(customer, day + days(60)).terms[-1].how = "converted"
    buy(seller, customer, day + days(74), annual(customer), "on_time")


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
        end = add_months(start, 12)
        seller.book.line(order, "FLOW-TEAM", start, end, quantity=customer.seats, unit_price=price)
    buy(seller, customer, day + days(40), annual(customer), "on_time")


def lifetime(seller: Seller, customer: Customer, day: date) -> None:
    order = seller.book.order(customer, day)
    seller.book.line(order, "FLOW-2020", day, None, quantity=customer.seats, unit_price=45000)
    plan = annual(customer, product_id="ARCHIVE", seats=50)
    buy(seller, customer, day, plan, "on_time", "on_time")


def pay_as_you_go(seller: Seller, customer: Customer, day: date) -> None:
    order = seller.book.order(customer, day, originator="self")
    quantity = calls_until(day, LAST_DAY + days(30)) if "quota" in customer.stories else 0
    seller.book.line(order, "API-CALLS", day, None, quantity=quantity, unit_price=2)


def usage_beside_terms(seller: Seller, customer: Customer, day: date) -> None:
    pay_as_you_go(seller, customer, day)
    order = seller.book.order(customer, day)
    seller.book.line(order, "SETUP", None, None, quantity=3, unit_price=118000)
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


def overlap(seller: Seller, customer: Customer, day: date) -> None:
    """The second line comes so late in the first one's year that it also renews it, early."""
    first = seller.sell(customer, day, day, annual(customer, seats=5, link="none"))
    start, plan = day + days(300), annual(customer, link="none")
    lines = seller.sell(customer, start - days(5), start, plan)
    seller.book.succeed(first[0], lines[0], "renewed_early")
    seller.live(customer, lines, plan, ("on_time",))


def signed_not_started(seller: Seller, customer: Customer, day: date) -> None:
    seller.sell(customer, LAST_DAY - days(12), LAST_DAY + days(20), annual(customer))


def business_closed(seller: Seller, customer: Customer, day: date) -> None:
    lines = seller.sell(customer, day, day, annual(customer, months=24))
    on = working_day(day + days(330))
    customer.closed_on = on
    seller.book.cancel(lines[0], on)
    seller.losses.append(Loss(customer, on, "business_closed"))


def merged(seller: Seller, customer: Customer, day: date) -> None:
    """Its own record bought storage before it was merged into the other."""
    plan = annual(customer, product_id="ARCHIVE", seats=30)
    buy(seller, customer, day, plan, "on_time", "on_time")


def nothing(seller: Seller, customer: Customer, day: date) -> None:
    """A record without contracts: a prospect."""
