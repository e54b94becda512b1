-- The hours of [:start, :end) of which anything is archived or was ever built: their sums, and the version of their rows.
select held.hour,
       coalesce(sum(c.events), 0)::bigint as events,
       coalesce(sum(c.quarantined), 0)::bigint as quarantined,
       b.output_version
from (
    select date_trunc('hour', window_start, 'UTC') as hour
    from segments
    where window_start >= :start and window_start < :end
    union
    select window_start
    from window_builds
    where asset = 'parsed_logs' and window_start >= :start and window_start < :end
) as held
left join hour_counts c on c.hour = held.hour
left join window_builds b on b.asset = 'parsed_logs' and b.window_start = held.hour
group by held.hour, b.output_version
order by held.hour
