"""Which features of the product a customer uses: those it is entitled to and cares for, by day."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from sample_company.catalogue import BASE, ENTITLEMENTS, FEATURES, WISHES
from sample_company.company import Company
from sample_company.dates import LAST_DAY

WEAK_USE = 0.45  # of its own normal: a customer that weak leaves the features that bring value
ADOPTION = 0.75  # chance that a customer cares for a core feature beyond the basic ones
FEATURE_BITS = {feature: 1 << number for number, feature in enumerate(FEATURES)}
ALL_FEATURES = (1 << len(FEATURES)) - 1


def allowed_features(company: Company) -> NDArray[np.int16]:
    """Customers x days: bits of the features a customer is entitled to and cares for.

    The basic ones always, whatever is bought; others from the day they were shipped; workflows and
    what is beyond the basic ones only while use is not weak. A customer that goes
    `beyond_entitlement` uses all there are.
    """
    random = np.random.default_rng([company.seed, 23])
    after = LAST_DAY + timedelta(days=1)
    base = sum(FEATURE_BITS[feature] for feature in BASE)
    allowed = np.full((len(company.customers), (after - company.start).days), base, np.int16)
    for term in company.book.terms:
        low = max(0, (term.start - company.start).days)
        high = max(0, ((term.effective_end or after) - company.start).days)
        bits = sum(FEATURE_BITS[feature] for feature in ENTITLEMENTS.get(term.product_id, ()))
        allowed[term.customer.index, low:high] |= bits
    for customer in company.customers:
        if "beyond_entitlement" in customer.stories:
            allowed[customer.index] = ALL_FEATURES
        else:
            extras = [feature for feature in FEATURES if FEATURES[feature] and feature not in BASE]
            ignored = [feature for feature in extras if random.random() > ADOPTION]
            allowed[customer.index] &= ALL_FEATURES - sum(FEATURE_BITS[f] for f in ignored)
    weeks = np.minimum(np.arange(allowed.shape[1]) // 7, company.behaviour.level.shape[1] - 1)
    is_weak = company.behaviour.level[:, weeks] < WEAK_USE
    allowed[is_weak] &= sum(FEATURE_BITS[feature] for feature in BASE if feature != "workflows")
    for feature, shipped_on in WISHES.items():
        if shipped_on is not None:
            allowed[:, : max(0, (shipped_on - company.start).days)] &= (
                ALL_FEATURES - FEATURE_BITS[feature]
            )
    return allowed
