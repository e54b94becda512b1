-- The window's clusters, and whether each is new: usual is what the 7 days before saw at two rustbuckets or more, or on
-- three days or more, so that nobody makes a campaign usual by rehearsing it once.
SELECT w.*, NOT coalesce(past.usual, false) AS is_new
FROM window_clusters AS w
LEFT JOIN LATERAL (
    SELECT max(s.rustbuckets) >= 2 OR count(DISTINCT date_bin('1 day', s.window_start, '2000-01-01 00:00+00')) >= 3 AS usual
    FROM sightings AS s
    WHERE s.kind = 'behaviour' AND s.key = w.key AND s.window_start >= :since AND s.window_start < :start
) AS past ON true
ORDER BY w.fingerprint
