-- Where a segment's bytes were pulled from.
select r.id as rustbucket_id,
       r.name as rustbucket,
       r.logs_url,
       f.key,
       f.etag,
       f.size,
       f.first_seen_at,
       s.pulled_at,
       s.object_key
from segments s
join source_files f on f.id = s.source_file_id
join rustbuckets r on r.id = s.rustbucket_id
where s.id = :segment_id
