select
    card, method, horizon_days, is_in_force, n, events, base_rate, precision_at_k, precision_low,
    precision_high, recall_at_k, recall_low, recall_high, lift_top_decile, auc, auc_low, auc_high,
    calibration_error, lead_days_p50, verdict
from score_report_card
where
    segment = 'all' and population = 'all'
    and horizon_days = coalesce(
        (select max(horizon_days) from churn_probabilities where is_for_warnings), 90
    )
order by card, is_in_force desc, auc desc nulls last, method
