-- Windows of :asset in [:since, :until) that aren't built from what is there of their parts now, whatever their age,
-- nor marked as done with it; none of a day that is frozen or expired.
-- The version is computed as storage/builds.py does: a part never built is as good as an empty one.
WITH parts AS (
    SELECT
        date_bin(:length, part, :since) AS window_start,
        part,
        coalesce(window_builds.output_version, :empty) AS version,
        window_builds.built_at
    FROM generate_series(cast(:since AS timestamptz), :until - :part_length, :part_length) AS part
    LEFT JOIN window_builds ON window_builds.asset = :upstream AND window_builds.window_start = part
),
wanted AS (
    SELECT
        window_start,
        encode(sha256(convert_to(
            cast(:code AS text) || string_agg(length(version) || ':' || version, '' ORDER BY part), 'UTF8'
        )), 'hex') AS version,
        max(built_at) AS changed_at
    FROM parts
    GROUP BY window_start
    HAVING bool_or(version <> :empty)
)
SELECT
    wanted.window_start,
    wanted.version,
    wanted.changed_at,
    built.asset IS NOT NULL AS built,
    asked.version AS asked_version,
    asked.times AS asked_times,
    asked.asked_at
FROM wanted
LEFT JOIN window_builds AS built ON built.asset = :asset AND built.window_start = wanted.window_start
LEFT JOIN window_requests AS asked ON asked.job = :job AND asked.window_start = wanted.window_start
LEFT JOIN window_marks AS mark
    ON mark.asset = :asset
    AND mark.window_start = wanted.window_start
    AND mark.inputs_version = wanted.version
WHERE mark.asset IS NULL
    AND built.inputs_version IS DISTINCT FROM wanted.version
    AND NOT EXISTS (
        SELECT FROM closed_days
        WHERE closed_days.day = cast(timezone('UTC', wanted.window_start) AS date)
            AND closed_days.state IN ('frozen', 'expired')
    )
ORDER BY 1
