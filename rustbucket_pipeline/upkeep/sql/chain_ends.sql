-- The ends of the logs' hash chains: how many, how many bytes lie before them, and a sum over the MD5 of each.
SELECT
    count(*),
    coalesce(sum(byte_end), 0),
    coalesce(sum(('x' || left(md5(log_id || ' ' || byte_end || ' ' || chain_sha256), 16))::bit(64)::bigint::numeric), 0)::text
FROM (
    SELECT DISTINCT ON (log_id) log_id, byte_end, chain_sha256
    FROM segments
    ORDER BY log_id, byte_start DESC
) AS ends
