select
    card, method, horizon_days, is_in_force, n, events, base_rate, precision_at_k, precision_low,
    precision_high, recall_at_k, recall_low, recall_high, lift_top_decile, auc, auc_low, auc_high,
    calibration_error, lead_days_p50, verdict
from score_report_card
where horizon_days = 90 and segment = 'all' and population = 'all'
order by card, is_in_force desc, auc desc nulls last, method
