create or replace view bf.progress as
select s.run, r.pipeline, s.step, s.ordinal, s.kind, s.state, s.planned,
       count(j.seq) filter (where j.state = 'pending') as pending,
       count(j.seq) filter (where j.state = 'running') as running,
       count(j.seq) filter (where j.state = 'done') as done,
       count(j.seq) filter (where j.state = 'failed') as failed,
       count(j.seq) filter (where j.state = 'skipped') as skipped,
       count(j.seq) filter (where j.state = 'cancelled') as cancelled,
       count(j.seq) filter (where j.state = 'undone') as undone,
       min(j.started_at) as started_at,
       s.finished_at
  from bf.step s join bf.run r using (run) left join bf.job j using (run, step)
 group by s.run, s.step, r.run;
comment on view bf.progress is 'How many jobs of each step are in which state.';
