-- Segments of logs pulled since :since that don't begin where the one before ends, or don't link to its chain hash.
with touched as (
    select distinct log_id from segments where pulled_at >= :since
),
linked as (
    select s.id,
           s.byte_start,
           s.previous_sha256,
           coalesce(lag(s.byte_end) over by_log, 0) as expected_start,
           coalesce(lag(s.chain_sha256) over by_log, '') as expected_link
    from segments s
    join touched using (log_id)
    window by_log as (partition by s.log_id order by s.byte_start)
)
select count(*) as segments,
       count(*) filter (where byte_start <> expected_start) as gaps,
       count(*) filter (where previous_sha256 <> expected_link) as broken_links
from linked
