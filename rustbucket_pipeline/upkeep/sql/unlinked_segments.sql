-- Segments that don't begin where the one before in their log ends, don't name it, or have another link than their place
-- and content give (storage/builds.py, version_of): how many, and the log of the first.
WITH linked AS (
    SELECT
        segments.*,
        coalesce(lag(byte_end) OVER by_log, 0) AS end_before,
        coalesce(lag(chain_sha256) OVER by_log, '') AS chain_before
    FROM segments
    WINDOW by_log AS (PARTITION BY log_id ORDER BY byte_start)
),
wrong AS (
    SELECT log_id
    FROM linked
    WHERE byte_start <> end_before
        OR previous_sha256 <> chain_before
        OR chain_sha256 <> encode(sha256(convert_to(concat(
            length(previous_sha256), ':', previous_sha256,
            length(byte_start::text), ':', byte_start,
            length(byte_end::text), ':', byte_end,
            length(sha256), ':', sha256
        ), 'UTF8')), 'hex')
)
SELECT count(*), coalesce(min(log_id), 0) FROM wrong
