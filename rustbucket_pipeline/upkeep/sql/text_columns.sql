-- Columns that can hold text, of our tables but :spared; in_key: one of a key, so that it isn't changed, but its row goes.
SELECT
    pg_class.relname AS table_name,
    attname AS column_name,
    format_type(atttypid, NULL) AS type,
    EXISTS (
        SELECT FROM pg_index
        WHERE pg_index.indrelid = pg_class.oid AND pg_index.indisunique AND attnum = ANY (pg_index.indkey)
    ) AS in_key
FROM pg_class
JOIN pg_attribute ON pg_attribute.attrelid = pg_class.oid
WHERE pg_class.relkind IN ('r', 'p')
    AND NOT pg_class.relispartition
    AND pg_class.relnamespace = 'public'::regnamespace
    AND pg_class.relname <> ALL (cast(:spared AS text[]))
    AND attnum > 0
    AND NOT attisdropped
    AND format_type(atttypid, NULL) IN ('text', 'text[]', 'jsonb', 'bytea')
ORDER BY 1, attnum
