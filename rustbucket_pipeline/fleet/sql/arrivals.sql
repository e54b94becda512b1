-- Of every active rustbucket: when bytes last arrived, up to which event time, how often files come, when it was
-- observed before, and when its source was last looked into: by the fleet's last pull that ended well, unless its own
-- failed. Times are null where there is none.
SELECT rustbuckets.id,
       rustbuckets.last_log_at                                AS watermark,
       newest.pulled_at,
       coalesce(newest.period > interval '1 hour', false)     AS daily,
       observed.observed_at,
       CASE WHEN failing.id IS NULL THEN pulled.built_at END  AS looked_at
FROM rustbuckets
LEFT JOIN LATERAL (
    SELECT segments.pulled_at, source_files.period_end - source_files.period_start AS period
    FROM segments
    JOIN source_files ON source_files.id = segments.source_file_id
    WHERE segments.rustbucket_id = rustbuckets.id
    ORDER BY segments.pulled_at DESC
    LIMIT 1
) AS newest ON true
LEFT JOIN LATERAL (
    SELECT observed_at
    FROM rustbucket_status
    WHERE rustbucket_status.rustbucket_id = rustbuckets.id AND observed_at < :now
    ORDER BY observed_at DESC
    LIMIT 1
) AS observed ON true
LEFT JOIN alerts AS failing
    ON failing.subject = rustbuckets.id AND failing.kind = 'source_failed' AND failing.closed_at IS NULL
LEFT JOIN LATERAL (
    SELECT built_at
    FROM window_builds
    WHERE asset = 'log_archives' AND built_at <= :now
    ORDER BY window_start DESC
    LIMIT 1
) AS pulled ON true
WHERE rustbuckets.status = 'active'
