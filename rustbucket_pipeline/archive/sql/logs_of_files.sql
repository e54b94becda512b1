-- The segments of every log that files of these periods may continue, by log and byte; :every means all logs.
-- A log served by HTTP vouches no period, so it may be any file's.
with touched as (
    select distinct s.log_id
    from source_files f
    join segments s on s.source_file_id = f.id
    where f.rustbucket_id = :rustbucket_id
      and (:every or f.period_start is null or f.period_start = any(cast(:starts as timestamptz[])))
)
select s.log_id,
       s.byte_start,
       s.byte_end,
       s.sha256,
       s.object_key,
       s.chain_sha256,
       coalesce(s.end_clock, s.last_event_ts) as clock,
       coalesce(s.end_after_text, s.after_text) as after_text,
       f.period_start
from touched
join segments s using (log_id)
join source_files f on f.id = s.source_file_id
order by s.log_id, s.byte_start
