select
    entity, delivered, accepted, quarantined, duplicate, orphaned, latest_event_at,
    freshness_hours, status
from data_health
order by entity
