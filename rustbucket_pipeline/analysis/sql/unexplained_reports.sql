-- The newest revisions since :since of windows that Claude was asked about, newest first, and what came of it.
select distinct on (window_start) window_start, status, report #>> '{claude,outcome}' as outcome
from log_analyses
where window_start >= :since and window_start in (select window_start from claude_calls)
order by window_start desc, revision desc
