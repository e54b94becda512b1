-- The registry's table of analyses, of the newest revision of each window's report: a row for the fleet, whose `id` is the
-- window's start in seconds since 1970, and after it (`id` + 1, + 2 …) one for each rustbucket that stands out.
CREATE OR REPLACE VIEW log_analysis AS
WITH newest AS (
    SELECT DISTINCT ON (window_start)
        window_start,
        revision,
        extract(epoch FROM window_start)::bigint AS id,
        summary,
        created_at
    FROM log_analyses
    ORDER BY window_start, revision DESC
)
SELECT
    id,
    'fleet' AS name,
    NULL::text AS ip_address,
    summary AS log_analysis,
    created_at
FROM newest
UNION ALL
SELECT
    newest.id + report_excerpts.number AS id,
    coalesce(rustbuckets.name, report_excerpts.rustbucket_id) AS name,
    rustbuckets.ip_address,
    report_excerpts.excerpt AS log_analysis,
    newest.created_at
FROM newest
JOIN report_excerpts ON report_excerpts.window_start = newest.window_start AND report_excerpts.revision = newest.revision
LEFT JOIN rustbuckets ON rustbuckets.id = report_excerpts.rustbucket_id
