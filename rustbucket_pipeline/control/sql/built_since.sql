-- Forget failures of what was built since that run began, or marked as done since it failed, or whose day is frozen
-- or expired; not of what a blocking check finds wrong.
DELETE FROM run_failures AS f
WHERE f.window_start IS NOT NULL AND (
    EXISTS (
        SELECT FROM window_builds AS b
        WHERE b.asset = f.asset AND b.window_start = f.window_start AND b.built_at >= f.began_at
    ) AND NOT EXISTS (
        SELECT FROM failed_checks AS c WHERE c.asset = f.asset AND c.window_start = f.window_start
    ) OR EXISTS (
        SELECT FROM window_marks AS m
        WHERE m.asset = f.asset AND m.window_start = f.window_start AND m.marked_at >= f.failed_at
    ) OR EXISTS (
        SELECT FROM closed_days AS d
        WHERE d.day = cast(timezone('UTC', f.window_start) AS date) AND d.state IN ('frozen', 'expired')
    )
)
