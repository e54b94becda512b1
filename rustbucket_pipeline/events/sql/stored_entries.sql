-- The entries of quarantine of [:start, :end), like stored_events.sql.
select s.log_id, s.rustbucket_id, q.*
from quarantine q
join segments s on s.id = q.segment_id
where q.event_ts >= :start and q.event_ts < :end
    and (cardinality(cast(:rustbuckets as text[])) = 0 or s.rustbucket_id = any (cast(:rustbuckets as text[])))
order by s.rustbucket_id collate "C", s.log_id, q.byte_offset
