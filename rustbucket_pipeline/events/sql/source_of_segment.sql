-- Where a segment's bytes were pulled from.
select r.name as rustbucket,
       r.logs_url as url,
       f.key,
       f.etag,
       f.size,
       f.content_bytes,
       s.pulled_at
from segments s
join source_files f on f.id = s.source_file_id
join rustbuckets r on r.id = s.rustbucket_id
where s.id = :segment_id
