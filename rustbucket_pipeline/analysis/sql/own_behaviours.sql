-- Of the window's new clusters of these severities (the first ones: the worst, then the busiest) those that one rustbucket
-- alone saw, with what their first session did.
SELECT c.cluster_id, c.severity, s.first_event_id AS event_id, s.rustbucket_id, s.command_lines, s.request_lines
FROM (
    SELECT cluster_id, severity, event_ids[1] AS event_id
    FROM clusters
    WHERE window_start = :start AND is_new AND rustbuckets = 1 AND severity = ANY(CAST(:severities AS text []))
    ORDER BY substr(cluster_id, 2)::integer
    LIMIT :most
) AS c
INNER JOIN session_parts AS s ON s.first_event_id = c.event_id AND s.hour >= :start AND s.hour < :end
ORDER BY substr(c.cluster_id, 2)::integer
