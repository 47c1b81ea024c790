"""The stories the sample company is made of, and which customer lives which.

A customer has at most one contract story or one use story (the first customers of the company),
some have a service story beside it; everybody else lives as chance and the hazard will have it.
A fault is lived by one customer: the first that lives the story it stands beside.
"""

from __future__ import annotations

CONTRACT_STORIES = {
    "trial_then_paid": "a trial, then a paid annual contract the day it ends",
    "trial_only": "a trial that is never bought",
    "repeated_trial": "two trials, which the rules forbid, then a paid contract",
    "trial_elsewhere": "a trial of a company that had one: same register number, domain or name",
    "monthly": "a monthly contract that goes on by itself",
    "annual": "annual contracts, each renewed by a new order",
    "multi_year": "a contract of two years, then of three",
    "lifetime": "a line without end and without monthly amount beside a paid add-on",
    "addon_bound": "add-ons that end with the version they are bound to",
    "addon_removed": "an add-on bought and left out at the renewal",
    "version_upgrade": "an upgrade inside the term: the new line replaces the old one",
    "seats_added": "more seats inside the term, priced for the days that are left",
    "downgrade": "fewer seats at the renewal",
    "price_change": "the price rises with the same seats",
    "discount_ended": "a coupon in the first year, none in the second",
    "renewed_early": "the renewal is closed weeks before it is due",
    "renewed_late": "the renewal comes after the due date, inside the grace: MRR is 0 between",
    "renewed_backdated": "closed after the due date, dated back to it: no gap",
    "returned_after_grace": "lost, and back after the grace",
    "short_gap": "renewals start up to seven days after the end, across a month's end",
    "unlinked_renewal": "the renewal names no earlier order; only the product tells",
    "coterminated": "an add-on contract is replaced by a line of the version's renewal",
    "auto_renewal": "an annual contract that goes on by itself, then is refused",
    "full_refund": "an order refunded whole: the term ends that day",
    "partial_refund": "a partial refund: a payment row that changes no MRR",
    "cancelled_before_start": "approved and cancelled before it began: no term",
    "cancelled_in_term": "cancelled inside the term",
    "never_approved": "orders that stay draft or submitted",
    "usd_contract": "contracts in US dollars",
    "two_tenants": "two tenants under one customer",
    "merged": "two records of one customer, the second merged into the first",
    "subsidiary": "a customer that belongs to another as its parent",
    "pay_as_you_go": "only a usage-priced product, with a prepaid wallet",
    "usage_beside_terms": "a usage-priced line beside a version",
    "legacy_subscription": "known only to an older billing system: subscriptions, no orders",
    "monthly_orders": "a new order every month, some a few days late",
    "month_end_start": "terms that start on the 31st and clip",
    "overlap": "two lines of one product that overlap without a link",
    "signed_not_started": "approved, not started",
    "business_closed": "the customer goes out of business inside the term",
    "prospect": "never bought anything",
    "adjusted": "an amount typed wrong and put right by an adjustment",
    "corrected": "an amount wrong in the first file and right in a later one",
}
USE_STORIES = {
    "never_started": "pays and never logs in",
    "failed_onboarding": "hardly used in the first 90 days, steps overdue",
    "onboarding_stuck": "two months with us, the set-up is overdue",
    "declining": "use falls week by week up to the last day",
    "dormant": "no use for two weeks at the last day",
    "silent": "no use for more than two months at the last day",
    "resurrected": "silent for three months, in use again for two weeks at the last day",
    "low_use": "few of the seats bought are used",
    "used_without_value": "logs in, and never does what the product is bought for",
    "ugly_stayer": "weak use, no contact, open tickets, and stays",
    "healthy_churner": "healthy by every sign, and leaves",
}
SERVICE_STORIES = {
    "lost_contact": "no contact in either direction for a year",
    "owner_left": "the CSM has left the company and nobody took over",
    "no_owner": "never had a CSM",
    "champion_left": "the champion left the customer",
    "tickets_pile_up": "open tickets without an answer",
    "overdue_payment": "the last order is not paid though due",
    "second_onboarding": "two rounds of onboarding",
    "renewal_talk": "a renewal talk months before the due date",
}

FAULT_STORIES = {  # fault: the story it stands beside, and what it is
    "trial_with_price": ("trial_then_paid", "a trial with a price"),
    "trial_without_end": ("trial_only", "a trial without an end"),
    "approved_by_sales": ("price_change", "an order approved by sales, not by finance"),
    "slow_approval": ("renewed_early", "an order signed six weeks before it was approved"),
    "opened_by_hand": ("seats_added", "a service opened by hand, without an order"),
    "changed_by_hand": ("discount_ended", "more seats in the service than were ordered"),
    "not_opened": ("annual", "bought, and its service was never opened"),
    "extended": ("downgrade", "a service that ended two months later than bought"),
    "active_unapproved": ("never_approved", "a service active on an order only submitted"),
    "active_cancelled": ("cancelled_in_term", "a service active on a cancelled order"),
    "used_after_end": ("full_refund", "use goes on two months after the contract's end"),
    "beyond_entitlement": ("monthly", "uses features it has not bought"),
    "two_csms": ("addon_removed", "two CSMs at once"),
    "quota": ("usage_beside_terms", "calls bought in advance, used up in a few weeks"),
    "missing_rate": ("subsidiary", "a contract in a currency whose rate came years later"),
    "tenant_unknown": ("multi_year", "a tenant that is in use and assigned to nobody"),
    "tenant_late": ("version_upgrade", "a tenant assigned years after its first use"),
    "shared_user": ("corrected", "one of its users also works for another customer"),
}

# Stories whose end is a loss or a return: told only where losses may mean something.
TELLING = frozenset(
    (
        "auto_renewal", "full_refund", "cancelled_in_term", "returned_after_grace",
        "business_closed", "healthy_churner", "ugly_stayer",
    )
)  # fmt: skip


def repeats(customers: int) -> int:
    """How often each story is told: once in a small company, more often in a large one."""
    return max(1, min(2, customers // 150)) if customers < 1000 else customers // 400


def assign(customers: int, no_signal: bool = False) -> list[set[str]]:
    """The stories of each customer by its number; all of them fit from 64 customers on.

    Without signal each is told once, and the `TELLING` ones, whose losses could be foreseen, not.
    """
    lives: list[set[str]] = [set() for _ in range(customers)]
    times = 1 if no_signal else repeats(customers)
    slots = [name for name in CONTRACT_STORIES for _ in range(times)]
    slots += [name for name in USE_STORIES for _ in range(times)]
    for life, name in zip(lives, slots, strict=False):
        if no_signal and name in TELLING:
            continue
        life.add(name)
    for fault, (host, _) in FAULT_STORIES.items():
        for life in [life for life in lives if host in life][:1]:
            life.add(fault)
    services = [name for name in SERVICE_STORIES for _ in range(times)]
    # The last customers: they have no contract story in a company of 64 and more.
    for life, name in zip(reversed(lives), services, strict=False):
        life.add(name)
    return lives
