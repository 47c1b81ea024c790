{{ adjusted_versions('orders', kept=['ordered_at', 'approved_by', 'approver_role']) }}
