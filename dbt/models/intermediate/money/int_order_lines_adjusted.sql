{{ adjusted_versions('order_lines', kept=['order_id', 'coupon_code', 'notice_days']) }}
