-- What the newest report of each window found, and on which rows.
CREATE VIEW report_findings AS
SELECT
    findings.window_start,
    findings.finding_id,
    findings.rule,
    findings.title,
    findings.severity,
    findings.technique,
    findings.why,
    findings.events,
    findings.event_ids,
    findings.rustbuckets
FROM findings
JOIN (
    SELECT window_start, max(revision) AS revision FROM log_analyses GROUP BY window_start
) AS newest ON newest.window_start = findings.window_start AND newest.revision = findings.revision
