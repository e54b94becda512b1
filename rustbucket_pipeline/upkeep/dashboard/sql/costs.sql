-- What Claude cost on each UTC day, and how often it was asked.
SELECT (asked_at AT TIME ZONE 'UTC')::date AS day, count(*) AS calls, sum(cost_usd)::float8 AS usd
FROM claude_calls
WHERE asked_at >= :since
GROUP BY day
ORDER BY day
