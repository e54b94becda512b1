-- What the window held, for those after it. At how many rustbuckets matters of behaviours.
INSERT INTO sightings (kind, key, window_start, rustbuckets)
SELECT kind, key, :start, max(rustbuckets) FROM (
    SELECT kind, key, 1 AS rustbuckets FROM window_values
    UNION ALL
    SELECT type, key, rustbuckets FROM window_indicators WHERE type <> 'ip'
    UNION ALL
    SELECT 'behaviour', key, rustbuckets FROM window_clusters
) AS seen
GROUP BY kind, key
