-- Events since :since, and those that stand more than once: by id, or by the bytes they were made of.
with seen as (
    select event_id, segment_id, byte_offset from log_events where event_ts >= :since
)
select (select count(*) from seen) as events,
       (select count(*) from (select from seen group by event_id having count(*) > 1) as ids) as repeated_ids,
       (select count(*) from (select from seen group by segment_id, byte_offset having count(*) > 1) as places)
           as repeated_places
