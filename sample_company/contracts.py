"""What is sold to whom: by the customer's story, and to everyone else by chance."""

from __future__ import annotations

from datetime import date

from sample_company import order_stories, term_stories
from sample_company.contract_book import Line, Term
from sample_company.customers import Customer
from sample_company.dates import LAST_DAY, working_day
from sample_company.selling import Loss, Seller
from sample_company.stories import CONTRACT_STORIES, USE_STORIES
from sample_company.term_stories import Story, annual, buy, days


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
    if "onboarding_stuck" in customer.stories:
        day = working_day(LAST_DAY - days(60))
    buy(seller, customer, day, annual(customer, is_auto=customer.index % 2 == 0))


SPECIAL: dict[str, Story] = {
    "trial_then_paid": order_stories.trial_then_paid,
    "trial_only": order_stories.trial_only,
    "repeated_trial": order_stories.repeated_trial,
    "trial_elsewhere": order_stories.trial_only,
    "monthly": term_stories.monthly,
    "annual": term_stories.annual_contract,
    "multi_year": term_stories.multi_year,
    "lifetime": order_stories.lifetime,
    "addon_bound": term_stories.addon_bound,
    "addon_removed": term_stories.addon_removed,
    "version_upgrade": term_stories.version_upgrade,
    "seats_added": term_stories.seats_added,
    "downgrade": term_stories.downgrade,
    "price_change": term_stories.price_change,
    "discount_ended": term_stories.discount_ended,
    "renewed_early": term_stories.renewals("early"),
    "renewed_late": term_stories.renewals("late"),
    "renewed_backdated": term_stories.renewals("backdated"),
    "returned_after_grace": term_stories.returned_after_grace,
    "short_gap": term_stories.short_gap,
    "unlinked_renewal": term_stories.unlinked_renewal,
    "coterminated": term_stories.coterminated,
    "auto_renewal": term_stories.auto_renewal,
    "full_refund": order_stories.full_refund,
    "cancelled_before_start": order_stories.cancelled_before_start,
    "cancelled_in_term": order_stories.cancelled_in_term,
    "never_approved": order_stories.never_approved,
    "pay_as_you_go": order_stories.pay_as_you_go,
    "usage_beside_terms": order_stories.usage_beside_terms,
    "legacy_subscription": order_stories.legacy_subscription,
    "monthly_orders": term_stories.monthly_orders,
    "month_end_start": term_stories.month_end_start,
    "overlap": order_stories.overlap,
    "signed_not_started": order_stories.signed_not_started,
    "business_closed": order_stories.business_closed,
    "prospect": order_stories.nothing,
    "merged": order_stories.merged,
    "healthy_churner": healthy_churner,
    "never_started": stays,
    "failed_onboarding": stays,
    "onboarding_stuck": stays,
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
            order_stories.trial_only(seller, customer, day)
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
