-- Built hours since :since whose archived bytes aren't events + quarantine + duplicates, per rustbucket.
-- Bytes archived after the hour was built make it stale, not wrong: they are compared as of the build.
with archived as (
    select date_trunc('hour', s.window_start, 'UTC') as hour,
           s.rustbucket_id,
           sum(s.byte_end - s.byte_start) as bytes
    from segments s
    join window_builds b on b.asset = 'parsed_logs' and b.window_start = date_trunc('hour', s.window_start, 'UTC')
    where s.window_start >= :since and s.pulled_at <= b.built_at
    group by 1, 2
)
select count(*) as rustbucket_hours,
       count(*) filter (where a.bytes is distinct from c.event_bytes + c.quarantined_bytes + c.duplicate_bytes)
           as unaccounted
from archived a
left join hour_counts c on c.hour = a.hour and c.rustbucket_id = a.rustbucket_id
