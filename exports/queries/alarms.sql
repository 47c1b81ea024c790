select kind, entity, opened_on, detail, held_warning_count
from data_alarms
order by opened_on desc, entity nulls last, alarm_id
