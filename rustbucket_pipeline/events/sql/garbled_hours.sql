-- How much of the hours since :since is no record, and those where that is unusually much.
with seen as (
    select *, quarantined_bytes >= :bytes and quarantined_bytes >= :share * archived_bytes as garbled
    from hour_counts
    where hour >= :since
)
select count(*) as hours,
       coalesce(sum(quarantined_bytes), 0)::bigint as quarantined_bytes,
       count(*) filter (where garbled) as garbled,
       (select rustbucket_id from seen where garbled order by quarantined_bytes desc, hour, rustbucket_id limit 1) as worst
from seen
