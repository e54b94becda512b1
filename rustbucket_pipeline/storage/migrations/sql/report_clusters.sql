-- The behaviours of each window: sessions that did the same.
CREATE VIEW report_clusters AS
SELECT
    window_start,
    cluster_id,
    fingerprint,
    protocol,
    steps,
    rules,
    severity,
    sessions,
    events,
    sources,
    rustbuckets,
    first_seen,
    last_seen,
    is_new,
    at_least,
    event_ids
FROM clusters
