-- What the play's hours brought, per protocol of their events.
select coalesce(protocol, 'none stated') as protocol, count(*) as events
from log_events
where event_ts >= :start and event_ts < :until
group by 1
order by 2 desc, 1
