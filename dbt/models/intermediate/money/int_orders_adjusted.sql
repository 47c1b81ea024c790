{{ adjusted_versions(
    ref('stg_orders__orders'),
    entity='orders',
    key='order_id',
    kept=['ordered_at', 'approved_by', 'approver_role'],
    columns={
        'kind': 'varchar',
        'status': 'varchar',
        'customer_id': 'varchar',
        'currency': 'varchar',
        'originator_role': 'varchar',
        'previous_order_id': 'varchar',
        'payment_due_on': 'date',
        'signed_at': 'timestamptz',
        'approved_at': 'timestamptz',
        'cancelled_at': 'timestamptz',
        'refunded_at': 'timestamptz',
    }
) }}
