-- The next runs after a place in their order that ended before :ended, and whether each may go. One stays while it says
-- what nothing else says: an asset's last run, a job's last run or last success, the failure that is a partition's last
-- word, a check that never came.
SELECT ended.run_id, ended.update_timestamp, ended.id,
    EXISTS (SELECT FROM runs AS later WHERE later.pipeline_name = ended.pipeline_name AND later.id > ended.id)
    AND (ended.status <> 'SUCCESS' OR EXISTS (
        SELECT FROM runs AS later
        WHERE later.pipeline_name = ended.pipeline_name AND later.status = 'SUCCESS' AND later.id > ended.id))
    AND NOT EXISTS (SELECT FROM asset_keys WHERE asset_keys.last_run_id = ended.run_id)
    AND NOT (ended.status = 'FAILURE' AND EXISTS (
        SELECT FROM event_logs AS planned
        WHERE planned.run_id = ended.run_id
            AND planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED'
            AND planned.partition IS NOT NULL
            AND NOT EXISTS (
                SELECT FROM event_logs AS later
                WHERE later.asset_key = planned.asset_key
                    AND later.dagster_event_type IN ('ASSET_MATERIALIZATION', 'ASSET_MATERIALIZATION_PLANNED')
                    AND later.partition = planned.partition
                    AND later.id > planned.id)))
    AND NOT EXISTS (
        SELECT FROM event_logs AS planned
        JOIN asset_check_executions AS missed
            ON missed.evaluation_event_storage_id = planned.id AND missed.run_id = ended.run_id
        WHERE planned.run_id = ended.run_id
            AND planned.dagster_event_type = 'ASSET_CHECK_EVALUATION_PLANNED'
            AND missed.execution_status = 'PLANNED'
            AND NOT EXISTS (
                SELECT FROM asset_check_executions AS later
                WHERE later.asset_key = missed.asset_key
                    AND later.check_name = missed.check_name
                    AND later.id > missed.id)) AS may_go
FROM (
    SELECT run_id, id, pipeline_name, status, update_timestamp
    FROM runs
    WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED')
        AND update_timestamp < :ended
        AND (update_timestamp, id) > (:after, :after_id)
    ORDER BY update_timestamp, id
    LIMIT :page
) AS ended
ORDER BY ended.update_timestamp, ended.id
