-- Sizes are bytes on disk. Rows are PostgreSQL's own estimate: counting them would read them all.
SELECT
    pg_database_size(current_database()) AS database_bytes,
    coalesce((SELECT pg_database_size(datname) FROM pg_database WHERE datname = :history), 0) AS history_bytes,
    (
        SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint
        FROM pg_inherits AS i
        INNER JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'log_events'::regclass
    ) AS event_rows
