-- The last day's alerts of a target's kinds: what is open, and what came and went.
SELECT a.id, CASE WHEN a.closed_at IS NULL THEN 'opened' ELSE 'closed' END AS state,
    a.kind, a.severity, a.subject, left(a.cause, 400) AS cause, a.count, a.opened_at
FROM alert_list AS a
WHERE a.kind = ANY(:kinds) AND (a.closed_at IS NULL OR a.closed_at > :since)
ORDER BY opened_at, id
