-- The gravest finding of the window's newest report; among equals the one of whose rows most name something new.
WITH finding AS (
    SELECT finding.*, report.summary, report.completeness
    FROM findings AS finding
    JOIN log_analyses AS report ON report.window_start = finding.window_start AND report.revision = finding.revision
    WHERE finding.window_start = :window
      AND report.revision = (SELECT max(revision) FROM log_analyses WHERE window_start = :window)
), named AS (
    SELECT finding.finding_id, event.event_id, indicator.type || ' ' || indicator.value AS news
    FROM finding
    JOIN log_events AS event ON event.event_id = ANY (finding.event_ids) AND event.event_ts >= :window
    JOIN indicators AS indicator
      ON indicator.window_start = finding.window_start AND indicator.is_new
     AND (indicator.type = 'ip' AND indicator.value = event.src_ip
          OR indicator.type <> 'ip' AND position(indicator.value IN coalesce(event.command, event.http_path, '')) > 0)
), news AS (
    SELECT finding_id, count(DISTINCT event_id) AS rows, array_agg(DISTINCT news ORDER BY news DESC) AS news
    FROM named
    GROUP BY finding_id
)
SELECT finding.finding_id, finding.rule, finding.title, finding.severity, finding.technique, finding.why, finding.events,
       finding.event_ids, finding.rustbuckets, finding.summary, finding.completeness, coalesce(news.news, '{}') AS news
FROM finding
LEFT JOIN news ON news.finding_id = finding.finding_id
ORDER BY array_position(ARRAY['critical', 'high', 'medium', 'low', 'info'], finding.severity),
         coalesce(news.rows, 0)::double precision / greatest(cardinality(finding.event_ids), 1) DESC,
         cardinality(finding.rustbuckets) DESC, finding.finding_id
LIMIT 1
