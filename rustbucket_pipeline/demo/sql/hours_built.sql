-- The hours that were played in full: without rows built from them, every other comparison would be empty.
SELECT '' AS subject, count(*) AS expected, count(build.window_start) AS found
FROM demo_truth.play
CROSS JOIN generate_series(play.window_start, play.window_end - interval '1 hour', interval '1 hour') AS played (hour)
LEFT JOIN window_builds AS build ON build.asset = 'parsed_logs' AND build.window_start = played.hour
