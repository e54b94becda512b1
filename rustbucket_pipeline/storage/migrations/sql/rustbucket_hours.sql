-- What became of every hour of every rustbucket, from its approval to its retirement or the hour in progress. Computed
-- anew by each reader, as of the transaction's setting rustbucket.now, or else of the clock.
--   arrival  pending: may still come · received · quiet: proved, by a later record or by an answer of its own after the
--            hour · missing: past due without proof · expired: its source deleted it first · waived: an operator said so
--   build    unbuilt · fresh · stale: what the rows were built from has changed. New parser versions are the plan's.
-- One row of hours is made and then joined, so that a condition on hour costs what it asks for, not the fleet's age.
CREATE VIEW rustbucket_hours AS
WITH clock AS (
    SELECT coalesce(nullif(current_setting('rustbucket.now', true), '')::timestamptz, now()) AS at
)
SELECT
    known.rustbucket_id,
    hours.hour,
    CASE
        WHEN lost.expired_at IS NOT NULL AND waivers.hour IS NULL THEN 'expired'
        WHEN hours.over AND came.bytes > 0 THEN 'received'
        WHEN hours.over AND (known.watermark >= hours.ends OR known.answered_at >= hours.ends) THEN 'quiet'
        WHEN waivers.hour IS NOT NULL THEN 'waived'
        WHEN hours.ends + known.grace <= hours.at THEN 'missing'
        ELSE 'pending'
    END AS arrival,
    CASE
        WHEN built.inputs_version IS NULL THEN 'unbuilt'
        WHEN built.inputs_version = built.inputs_now THEN 'fresh'
        ELSE 'stale'
    END AS build,
    hours.ends + known.grace AS due,
    came.bytes,
    known.watermark,
    known.answered_at,
    lost.expired_at,
    waivers.waived_by,
    waivers.reason AS waive_reason
FROM (
    SELECT
        hour,
        hour + interval '1 hour' AS ends,
        hour + interval '1 hour' <= clock.at AS over,
        clock.at
    FROM clock, generate_series(
        (SELECT date_trunc('hour', min(coalesce(approved_at, registered_at)), 'UTC') FROM rustbuckets),
        date_trunc('hour', clock.at, 'UTC'),
        interval '1 hour'
    ) AS hour
) AS hours
JOIN (
    SELECT
        rustbuckets.id AS rustbucket_id,
        coalesce(rustbuckets.approved_at, rustbuckets.registered_at) AS approved_at,
        rustbuckets.retired_at,
        newest.watermark,
        CASE WHEN asked.answered_at IS NOT NULL THEN least(asked.answered_at, asked.pulled_at) END AS answered_at,
        CASE WHEN kind.daily THEN interval '26 hours' ELSE interval '2 hours 15 minutes' END AS grace
    FROM rustbuckets
    LEFT JOIN LATERAL (
        SELECT max(segments.last_event_ts) AS watermark
        FROM segments
        WHERE segments.rustbucket_id = rustbuckets.id
    ) AS newest ON true
    LEFT JOIN LATERAL (
        SELECT source_files.period_end - source_files.period_start > interval '1 hour' AS daily
        FROM segments
        JOIN source_files ON source_files.id = segments.source_file_id
        WHERE segments.rustbucket_id = rustbuckets.id
        ORDER BY segments.pulled_at DESC
        LIMIT 1
    ) AS kind ON true
    LEFT JOIN LATERAL (
        SELECT
            source_files.last_seen_at AS pulled_at,
            (
                SELECT max(rustbucket_status.observed_at)
                FROM rustbucket_status
                WHERE rustbucket_status.rustbucket_id = rustbuckets.id AND rustbucket_status.outcome = 'ok'
            ) AS answered_at
        FROM source_files
        WHERE source_files.rustbucket_id = rustbuckets.id
            AND source_files.key = 'extract_logs'
            AND source_files.replaced_at IS NULL
    ) AS asked ON true
    WHERE rustbuckets.status <> 'review'
) AS known ON known.approved_at < hours.ends AND (known.retired_at IS NULL OR known.retired_at > hours.hour)
LEFT JOIN waivers ON waivers.rustbucket_id = known.rustbucket_id AND waivers.hour = hours.hour
CROSS JOIN LATERAL (
    SELECT coalesce(sum(segments.byte_end - segments.byte_start), 0)::bigint AS bytes
    FROM segments
    WHERE segments.rustbucket_id = known.rustbucket_id
        AND segments.window_start >= hours.hour
        AND segments.window_start < hours.ends
) AS came
CROSS JOIN LATERAL (
    SELECT max(source_files.expired_at) AS expired_at
    FROM source_files
    WHERE source_files.rustbucket_id = known.rustbucket_id
        AND source_files.expired_at IS NOT NULL
        AND (source_files.consumed = 0 OR source_files.clock < hours.ends)
        AND source_files.period_start < hours.ends
        AND source_files.period_end > hours.hour
) AS lost
LEFT JOIN LATERAL (
    SELECT
        rows_of.inputs_version,
        encode(sha256(convert_to(
            length(rows_of.code_version) || ':' || rows_of.code_version
            || string_agg(
                length(held.version) || ':' || held.version, ''
                ORDER BY part
            ),
            'UTF8'
        )), 'hex') AS inputs_now
    FROM window_builds AS rows_of
    CROSS JOIN (VALUES (interval '0'), (interval '30 minutes')) AS parts (part)
    LEFT JOIN window_builds AS half ON half.asset = 'log_archives' AND half.window_start = rows_of.window_start + part
    -- A half hour never asked is as good as an empty one, whose version is the hash of nothing (storage/builds.py).
    CROSS JOIN LATERAL (SELECT coalesce(half.output_version, encode(sha256(''), 'hex')) AS version) AS held
    WHERE rows_of.asset = 'parsed_logs' AND rows_of.window_start = hours.hour
    GROUP BY rows_of.inputs_version, rows_of.code_version
) AS built ON true
