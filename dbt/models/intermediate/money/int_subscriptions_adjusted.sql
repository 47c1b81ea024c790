{{ adjusted_versions(
    ref('stg_orders__subscriptions'),
    entity='subscriptions',
    key='subscription_id',
    kept=['billing_months'],
    columns={
        'customer_id': 'varchar',
        'product_id': 'varchar',
        'previous_subscription_id': 'varchar',
        'currency': 'varchar',
        'unit': 'varchar',
        'mrr': 'decimal(20, 6)',
        'amount': 'decimal(20, 6)',
        'quantity': 'decimal(20, 6)',
        'discount_ratio': 'decimal(20, 6)',
        'term_start': 'date',
        'term_end': 'date',
        'is_trial': 'boolean',
        'is_auto_renew': 'boolean',
        'booked_at': 'timestamptz',
        'cancelled_at': 'timestamptz',
        'non_renewal_noted_at': 'timestamptz',
    }
) }}
