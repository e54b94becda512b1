-- Bytes of our database and of Dagster's (0 where there is none yet).
SELECT pg_database_size(current_database()) AS ours,
    coalesce((SELECT pg_database_size(oid) FROM pg_database WHERE datname = :history), 0) AS history
