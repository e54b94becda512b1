-- Of the asset events of these runs (of none: ''), from before :told, those that nothing asks for any more: a newer one
-- says the same of the same partition. Dagster tells staleness by comparing the newest data version of a partition with
-- the one at some earlier event, so an event with which that version came or went is asked for, too.
WITH mine AS MATERIALIZED (
    SELECT id, asset_key, dagster_event_type AS type, partition
    FROM event_logs
    WHERE run_id = ANY (CAST(:runs AS text[]))
        AND (CAST(:told AS timestamp) IS NULL OR timestamp < :told)
        AND asset_key IS NOT NULL
        AND dagster_event_type = ANY (CAST(:types AS text[]))
),
followed AS MATERIALIZED (
    SELECT mine.* FROM mine
    WHERE mine.partition IS NOT NULL AND EXISTS (
        SELECT FROM event_logs AS newer
        WHERE newer.asset_key = mine.asset_key
            AND newer.dagster_event_type = mine.type
            AND newer.partition = mine.partition
            AND newer.id > mine.id)
    ORDER BY mine.id
    LIMIT :most
),
versions AS (
    SELECT event.id, event.asset_key, event.dagster_event_type AS type, event.partition, tag.value AS version
    FROM (SELECT DISTINCT asset_key, type, partition FROM followed) AS place
    JOIN event_logs AS event
        ON event.asset_key = place.asset_key
        AND event.dagster_event_type = place.type
        AND event.partition = place.partition
    LEFT JOIN asset_event_tags AS tag ON tag.event_id = event.id AND tag.key = 'dagster/data_version'
),
compared AS (
    SELECT id, asset_key, type, partition,
        version IS NOT DISTINCT FROM first_value(version) OVER (PARTITION BY asset_key, type, partition ORDER BY id DESC)
            AS newest
    FROM versions
),
turns AS (
    SELECT id, newest <> coalesce(lag(newest) OVER (PARTITION BY asset_key, type, partition ORDER BY id), false) AS turn
    FROM compared
)
SELECT followed.id FROM followed JOIN turns USING (id) WHERE NOT turns.turn
UNION ALL
SELECT mine.id FROM mine
WHERE mine.partition IS NULL AND EXISTS (
    SELECT FROM event_logs AS newer
    WHERE newer.asset_key = mine.asset_key
        AND newer.dagster_event_type = mine.type
        AND newer.partition IS NULL
        AND newer.id > mine.id)
