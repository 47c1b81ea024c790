{{ adjusted_versions(
    ref('stg_orders__order_lines'),
    entity='order_lines',
    key='order_line_id',
    kept=['order_id', 'coupon_code', 'notice_days'],
    columns={
        'product_id': 'varchar',
        'replaces_order_line_id': 'varchar',
        'bound_to_order_line_id': 'varchar',
        'quantity': 'decimal(20, 6)',
        'unit_price': 'decimal(20, 6)',
        'discount_amount': 'decimal(20, 6)',
        'amount': 'decimal(20, 6)',
        'term_start': 'date',
        'term_end': 'date',
        'is_auto_renew': 'boolean',
        'non_renewal_noted_at': 'timestamptz',
        'cancelled_at': 'timestamptz',
    }
) }}
