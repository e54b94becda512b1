-- Events of each window, all and by protocol.
SELECT window_start, what, events
FROM window_counts
WHERE window_start >= :since AND (what = 'events' OR starts_with(what, 'protocol '))
ORDER BY window_start
