-- A rustbucket's segments of the windows in [:start, :end): logs in the order of their first window, then byte by byte.
SELECT object_key, coalesce(redacted_sha256, sha256) AS sha256, byte_start, byte_end, expired_at
FROM segments
WHERE rustbucket_id = :rustbucket AND window_start >= :start AND window_start < :end
ORDER BY min(window_start) OVER (PARTITION BY log_id), log_id, byte_start
