-- Events since :since, and those that stand more than once: by id, or by the bytes they were made of.
-- Bytes that name no time to be believed may come again in a later half-hour, as another event; attackers see to that.
with seen as (
    select event_id, event_ts, clamped, segment_id, byte_offset from log_events where event_ts >= :since
),
again as (
    select event_id from seen group by event_id having count(*) > 1
),
ids as (
    select event_id
    from seen join again using (event_id)
    group by event_id
    having not bool_and(clamped) or count(*) > count(distinct date_bin('30 minutes', event_ts, 'epoch'))
)
select (select count(*) from seen) as events,
       (select count(*) from ids) as repeated_ids,
       (select count(*) from (select from seen group by segment_id, byte_offset having count(*) > 1) as places)
           as repeated_places
