"""The audit on the page: its findings, and the rules that could not look for any."""

from exports.page_facts import Row
from exports.page_words import Words

CONTRACTS = ("orders", "subscriptions")
NEEDS: dict[str, tuple[str | tuple[str, ...], ...]] = {
    "action_beyond_role": ("access_log", "employees"),
    "adjustment_applied": ("adjustments",),
    "adjustment_without_effect": ("adjustments",),
    "approval_late": ("orders",),
    "approver_not_finance": ("orders",),
    "closed_product_sold": ("products", CONTRACTS),
    "credit_over_a_term": (CONTRACTS,),
    "customer_use_after_expiry": ("product_events", CONTRACTS),
    "customer_with_two_csms": ("ownerships",),
    "customer_without_csm": ("ownerships",),
    "departed_employee_acting": ("employees",),
    "overlap_unexplained": (CONTRACTS,),
    "owner_left": ("ownerships", "employees"),
    "price_edited_in_place": ("product_prices",),
    "price_other_than_listed": ("product_prices", "orders"),
    "service_after_expiry": ("services", "orders"),
    "service_changed_without_order": ("services", "orders"),
    "service_on_cancelled_order": ("services", "orders"),
    "service_opened_by_hand": ("services",),
    "service_other_than_bought": ("services", "orders"),
    "service_without_order": ("services", "orders"),
    "service_without_payment": ("services", "orders", "payments"),
    "trial_repeated": (CONTRACTS,),
    "trial_with_price_or_without_end": (CONTRACTS,),
}
"""What has to be connected for each rule; of a tuple within, one is enough."""


def count_findings(rules: list[Row], listed_count: int) -> dict[str, int]:
    """Findings of the audit: all, the serious ones, those not listed on the page."""
    count = sum(row["finding_count"] for row in rules)
    high = sum(row["finding_count"] for row in rules if row["severity"] == "high")
    return {"finding_count": count, "high_count": high, "left_out": count - listed_count}


def say_unseen(connected: set[str], words: Words) -> list[str]:
    """A sentence for each group of rules that could not look, with what is missing."""
    unseen: dict[tuple[str, ...], list[str]] = {}
    for rule, needs in NEEDS.items():
        missing = tuple(_say_need(need, words) for need in needs if not _is_met(need, connected))
        if missing:
            unseen.setdefault(missing, []).append(words.name(rule))
    return [
        words.say("audit.unseen", entities=words.join(list(missing)), rules=words.join(rules))
        for missing, rules in sorted(unseen.items())
    ]


def _is_met(need: str | tuple[str, ...], connected: set[str]) -> bool:
    return not connected.isdisjoint([need] if isinstance(need, str) else need)


def _say_need(need: str | tuple[str, ...], words: Words) -> str:
    named = [words.name(entity) for entity in ([need] if isinstance(need, str) else need)]
    return words.join(named, "or")
