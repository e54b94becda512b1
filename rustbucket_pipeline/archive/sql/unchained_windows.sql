-- Windows among :starts with a segment that doesn't begin where the one before in its log ends, or doesn't link to it.
SELECT DISTINCT segments.window_start
FROM segments
LEFT JOIN LATERAL (
    SELECT earlier.byte_end, earlier.chain_sha256
    FROM segments AS earlier
    WHERE earlier.log_id = segments.log_id AND earlier.byte_start < segments.byte_start
    ORDER BY earlier.byte_start DESC
    LIMIT 1
) AS before ON true
WHERE segments.window_start = ANY(CAST(:starts AS timestamptz[]))
    AND (
        segments.byte_start <> coalesce(before.byte_end, 0)
        OR segments.previous_sha256 <> coalesce(before.chain_sha256, '')
    )
