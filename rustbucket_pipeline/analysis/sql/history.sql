-- Events by type and protocol in each of the windows before this one.
SELECT window_start, what, events FROM window_counts WHERE window_start >= :since AND window_start < :start
