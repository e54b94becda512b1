-- Hours in [:since, :until) whose sums don't agree with each other, or with the rows and entries that are there.
with rows_of as (
    select date_trunc('hour', event_ts, 'UTC') as hour, rustbucket_id, count(*) as events, sum(byte_length) as bytes
    from log_events
    where event_ts >= :since and event_ts < :until
    group by 1, 2
),
entries_of as (
    select date_trunc('hour', q.event_ts, 'UTC') as hour, s.rustbucket_id, count(*) as entries, sum(q.byte_length) as bytes
    from quarantine q
    join segments s on s.id = q.segment_id
    where q.event_ts >= :since and q.event_ts < :until
    group by 1, 2
),
compared as (
    select c.hour,
           c.archived_bytes,
           c.archived_bytes <> c.event_bytes + c.quarantined_bytes + c.duplicate_bytes
               or (c.events, c.event_bytes) <> (coalesce(r.events, 0), coalesce(r.bytes, 0))
               or (c.quarantined, c.quarantined_bytes) <> (coalesce(e.entries, 0), coalesce(e.bytes, 0)) as wrong
    from hour_counts c
    left join rows_of r using (hour, rustbucket_id)
    left join entries_of e using (hour, rustbucket_id)
    where c.hour >= :since and c.hour < :until
)
select count(*) as hours,
       coalesce(sum(archived_bytes), 0)::bigint as archived_bytes,
       count(*) filter (where wrong) as wrong,
       coalesce(array_agg(distinct hour) filter (where wrong), '{}') as wrong_hours
from compared
