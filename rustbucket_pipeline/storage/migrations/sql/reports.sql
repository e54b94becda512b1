-- Every revision of every window's report, without the report itself. `newest`: nothing newer was said of the window.
CREATE VIEW reports AS
SELECT
    window_start,
    revision,
    revision = max(revision) OVER (PARTITION BY window_start) AS newest,
    status,
    severity,
    summary,
    completeness,
    digest_sha256,
    model,
    cost_usd,
    created_at
FROM log_analyses
