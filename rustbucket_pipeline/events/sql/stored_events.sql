-- The rows of [:start, :end), in the order in which their bytes are parsed; of some rustbuckets, or of all (none named).
select s.log_id, e.*
from log_events e
join segments s on s.id = e.segment_id
where e.event_ts >= :start and e.event_ts < :end
    and (cardinality(cast(:rustbuckets as text[])) = 0 or e.rustbucket_id = any (cast(:rustbuckets as text[])))
order by e.rustbucket_id collate "C", s.log_id, e.byte_offset
