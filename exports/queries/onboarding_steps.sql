select times.step, times.n, times.p50_days, times.p90_days, times.due_count, times.on_time_ratio
from onboarding_step_times as times
left join (
    select step, min(sequence) as sequence from onboarding_progress group by step
) as steps using (step)
where times.segment = 'all'
order by steps.sequence nulls last, times.step
