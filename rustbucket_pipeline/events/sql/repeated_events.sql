-- Events since :since, and ids that stand more than once.
select coalesce(sum(n), 0) as events, count(*) filter (where n > 1) as repeated
from (select event_id, count(*) as n from log_events where event_ts >= :since group by event_id) as ids
