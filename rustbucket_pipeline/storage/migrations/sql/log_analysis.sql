-- The registry's table of analyses: the newest revision of each window's report. A window is analysed as a whole,
-- so `name` is the fleet's and there is no address; `id` is the window's start in seconds since 1970.
CREATE VIEW log_analysis AS
SELECT DISTINCT ON (window_start)
    extract(epoch FROM window_start)::bigint AS id,
    'fleet' AS name,
    NULL::text AS ip_address,
    summary AS log_analysis,
    created_at
FROM log_analyses
ORDER BY window_start, revision DESC
