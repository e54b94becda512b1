-- Active rustbuckets, and those of them without a status row since :since.
select count(*) as active,
       count(*) filter (where not exists (
           select from rustbucket_status s where s.rustbucket_id = r.id and s.observed_at >= :since
       )) as unobserved
from rustbuckets r
where r.status = 'active'
