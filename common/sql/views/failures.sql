create or replace view bf.failures as
select j.run, r.pipeline, j.step, j.seq, j.chunk, j.attempts, j.error_category, j.error, a.output_tail, j.worker, j.finished_at,
       format('enqueue retry %s --step=%s --chunk=%s', j.run, j.step,
              bf.shell_word(j.chunk)) as retry_with
  from bf.job j join bf.run r using (run)
  left join lateral (select output_tail from bf.attempt a where a.run = j.run and a.step = j.step and a.seq = j.seq
                      order by a.epoch desc limit 1) a on true
 where j.state = 'failed';
comment on view bf.failures is 'What failed for good, why, and the command that tries it again.';
