create or replace view bf.coverage as
select r.pipeline, j.step, r.identity, range_agg(daterange(j.since, j.until, '[]')) as done
  from bf.job j join bf.run r using (run)
 where j.state = 'done' and j.since is not null and not r.trial
 group by r.pipeline, j.step, r.identity;
comment on view bf.coverage is 'The days that are done, per pipeline, step and identity, over all runs that were no trial.';
