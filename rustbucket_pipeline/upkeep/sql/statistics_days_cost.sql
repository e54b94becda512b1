SELECT
    (extract(epoch FROM :until - asked_at)::bigint - 1) / 86400 AS ago,
    count(*) AS claude_calls,
    sum(cost_usd) AS claude_usd
FROM claude_calls
WHERE asked_at >= :since AND asked_at < :until
GROUP BY ago
