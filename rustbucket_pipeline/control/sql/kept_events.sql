-- Events of these runs that stay without them: asset events but the superseded ones, and how checks newest stood.
SELECT id FROM event_logs
WHERE run_id = ANY (CAST(:runs AS text[]))
    AND dagster_event_type = ANY (CAST(:types AS text[]))
    AND id <> ALL (CAST(:superseded AS bigint[]))
UNION
SELECT evaluation_event_storage_id FROM asset_check_executions
WHERE run_id = ANY (CAST(:runs AS text[]))
    AND id <> ALL (CAST(:checks AS bigint[]))
    AND evaluation_event_storage_id IS NOT NULL
