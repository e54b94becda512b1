-- Findings of the newest revisions since :since, and those that name an event which isn't there.
with newest as (
    select distinct on (window_start) window_start, revision
    from log_analyses where window_start >= :since
    order by window_start, revision desc
)
select count(*) as findings,
       count(*) filter (where cardinality(f.event_ids) = 0 or exists (
           select from unnest(f.event_ids) as cited (event_id)
           where not exists (
               select from log_events e
               where e.event_id = cited.event_id
                 and e.event_ts >= f.window_start and e.event_ts < f.window_start + interval '4 hours'
           )
       )) as uncited
from findings f
join newest using (window_start, revision)
