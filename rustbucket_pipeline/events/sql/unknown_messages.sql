-- Templates of unknown messages since :since, the most frequent first.
select target, template, sum(records)::bigint as records
from unknown_templates
where hour >= :since
group by target, template
order by records desc, target, template
limit 1000
