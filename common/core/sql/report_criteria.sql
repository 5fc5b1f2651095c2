-- Whether a run has done what it was for: one row for each criterion, whether it is met, and what was found.  $1 run
-- A check counts by its last word, a soak by whether its step is done; an approval counts when it was given.
with steps as (
    select s.ordinal, s.step, s.kind, s.state, s.planned,
           count(j.seq) filter (where j.state = 'done') as done,
           count(j.seq) filter (where j.split) as split,
           count(j.seq) filter (where j.state = 'failed') as failed
      from bf.step s left join bf.job j using (run, step)
     where s.run = $1::text
     group by s.run, s.step
), last_word as (
    select distinct on (c.step) c.step, c.outcome, c.found from bf.check_result c where c.run = $1::text order by c.step, c.id desc
), work as (
    select * from steps where kind not in ('check', 'soak', 'approval') and planned > 0
)
select 1 as place, w.ordinal, format('%s: all that was planned is done', w.step) as criterion, w.done = w.planned - w.split as met,
       format('%s of %s', w.done, w.planned - w.split) as found
  from work w
union all
select 2, w.ordinal, format('%s: more than 99 %% of its jobs succeeded', w.step), w.done > 0.99 * (w.done + w.failed),
       format('%s of %s that were tried', w.done, w.done + w.failed)
  from work w
union all
select 3, 0, 'no failure is unresolved', sum(failed) = 0, format('%s jobs have failed', sum(failed)) from steps
union all
select 3, 1, 'nothing is left that was done over a hole', false, format('%s jobs were', count(*))
  from bf.job where run = $1::text and state = 'done' and over_hole having count(*) > 0
union all
select 4, s.ordinal, format(case l.outcome when 'warn' then '%s: has not failed, and warns' else '%s: passed' end, s.step), s.state = 'done' and coalesce(l.outcome, 'pass') <> 'fail',
       coalesce(l.found, format('the step is %s', s.state))
  from steps s left join last_word l using (step)
 where s.kind = 'check'
union all
select 4, s.ordinal, format('%s: watched to its end', s.step), s.state = 'done', coalesce(j.note, format('the step is %s', s.state))
  from steps s left join bf.job j on j.run = $1::text and j.step = s.step and j.seq = 1
 where s.kind = 'soak'
union all
select 5, s.ordinal, format('%s: approved', s.step), s.state = 'done', coalesce(j.note, j.error, format('the step is %s', s.state))
  from steps s left join bf.job j on j.run = $1::text and j.step = s.step and j.seq = 1
 where s.kind = 'approval'
 order by place, ordinal;
