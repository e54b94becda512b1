-- Windows of :asset in [:since, :until) that were never asked for at their sources since they are over, nor marked,
-- of days that are open.
-- Without inputs_version, a build was forgotten: it is asked for again.
SELECT
    series.window_start,
    'asked' AS version,
    cast(NULL AS timestamptz) AS changed_at,
    false AS built,
    asked.version AS asked_version,
    asked.times AS asked_times,
    asked.asked_at
FROM generate_series(cast(:since AS timestamptz), :until - :length, :length) AS series (window_start)
LEFT JOIN window_builds AS built
    ON built.asset = :asset
    AND built.window_start = series.window_start
    AND built.built_at >= series.window_start + :length
    AND built.inputs_version <> ''
LEFT JOIN window_requests AS asked ON asked.job = :job AND asked.window_start = series.window_start
LEFT JOIN window_marks AS mark ON mark.asset = :asset AND mark.window_start = series.window_start
WHERE built.asset IS NULL
    AND mark.asset IS NULL
    AND NOT EXISTS (
        SELECT FROM closed_days
        WHERE closed_days.day = cast(timezone('UTC', series.window_start) AS date)
            AND closed_days.state IN ('frozen', 'expired')
    )
ORDER BY 1
