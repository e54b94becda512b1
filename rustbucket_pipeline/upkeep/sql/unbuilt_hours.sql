-- The first hour in [:start, :end) whose rows aren't made of what is archived of it; null: all of them are.
WITH parts AS (
    SELECT
        date_bin(interval '1 hour', part, :start) AS hour,
        part,
        coalesce(half.output_version, encode(sha256(''), 'hex')) AS version
    FROM generate_series(cast(:start AS timestamptz), :end - interval '30 minutes', interval '30 minutes') AS part
    LEFT JOIN window_builds AS half ON half.asset = 'log_archives' AND half.window_start = part
),
archived AS (
    SELECT hour, string_agg(length(version) || ':' || version, '' ORDER BY part) AS versions
    FROM parts
    GROUP BY hour
    HAVING bool_or(version <> encode(sha256(''), 'hex'))
)
SELECT min(archived.hour)
FROM archived
LEFT JOIN window_builds AS built ON built.asset = 'parsed_logs' AND built.window_start = archived.hour
WHERE built.inputs_version IS DISTINCT FROM encode(sha256(convert_to(
    length(built.code_version) || ':' || built.code_version || archived.versions, 'UTF8'
)), 'hex')
