-- The gravest finding of the window's newest report; among equals the one with most new indicators, then most rustbuckets.
SELECT finding.finding_id, finding.rule, finding.title, finding.severity, finding.technique, finding.why,
       finding.event_ids, finding.rustbuckets, report.summary, report.completeness, news.news
FROM findings AS finding
JOIN log_analyses AS report ON report.window_start = finding.window_start AND report.revision = finding.revision
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(indicator.type || ' ' || indicator.value ORDER BY indicator.type DESC, indicator.value), '{}') AS news
    FROM indicators AS indicator
    WHERE indicator.window_start = finding.window_start AND indicator.is_new AND indicator.event_ids && finding.event_ids
) AS news
WHERE finding.window_start = :window
  AND report.revision = (SELECT max(revision) FROM log_analyses WHERE window_start = :window)
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], finding.severity),
         cardinality(news.news) DESC, cardinality(finding.rustbuckets) DESC, finding.finding_id
LIMIT 1
