{{ adjusted_versions('subscriptions', kept=['billing_months']) }}
