-- How checks stood, as these runs (none: '') said before :told, without what is still the newest of a check.
SELECT mine.id, mine.evaluation_event_storage_id AS event
FROM asset_check_executions AS mine
WHERE mine.run_id = ANY (CAST(:runs AS text[]))
    AND (CAST(:told AS timestamp) IS NULL OR mine.create_timestamp < :told)
    AND (mine.execution_status = 'PLANNED' OR EXISTS (
        SELECT FROM asset_check_executions AS newer
        WHERE newer.asset_key = mine.asset_key
            AND newer.check_name = mine.check_name
            AND newer.partition IS NOT DISTINCT FROM mine.partition
            AND newer.execution_status <> 'PLANNED'
            AND newer.id > mine.id))
ORDER BY mine.id
LIMIT :most
