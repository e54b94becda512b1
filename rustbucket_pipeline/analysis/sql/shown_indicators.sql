-- Candidates for the digest: new ones first, then water-filled: the k-th of one shape, or of one network, waits for
-- everybody's (k-1)-th, so that no flood crowds others out. A URL names its host again, so it waits twice as long.
WITH placed AS (
    SELECT
        indicator_id, type, value, events, rustbuckets, first_seen, is_new, event_ids,
        CASE type WHEN 'url' THEN 2 ELSE 1 END * greatest(
            row_number() OVER (PARTITION BY is_new, type, shape ORDER BY events DESC, value),
            row_number() OVER (
                PARTITION BY is_new, type, coalesce(substring(value FROM '^(?:[a-z0-9+]+://)?([0-9]+\.[0-9]+\.[0-9]+)\.'), value)
                ORDER BY events DESC, value
            )
        ) AS turn
    FROM judged_indicators
)
SELECT
    indicator_id, type, left(value, :longest) AS value, length(value) AS length, events, rustbuckets, first_seen, is_new,
    event_ids[1:CAST(:evidence AS integer)] AS event_ids,
    count(*) OVER () AS all_values,
    count(*) FILTER (WHERE is_new) OVER () AS all_new
FROM placed
ORDER BY is_new DESC, turn, type = 'ip', type DESC, events DESC, value
LIMIT :top
