-- The last statement of a sql job's own transaction (PROTOCOL L3). Raises BF001 unless the job is
-- still this attempt's, so that nothing on the client decides between the effect and its commit.
-- The mark that the transaction began with is good for one call: a step that has settled a job itself,
-- by way of a function, has used it up, and the worker's own call is refused with all of its effect.
create or replace function bf.settle(p_run text, p_step text, p_seq int, p_epoch int) returns void
language plpgsql set search_path = pg_catalog, bf, pg_temp as $$
begin
    if current_setting('bf.transaction', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the step''s SQL ended the transaction it was given, or settled a job itself'
            using errcode = 'BF002',
                  hint = 'Take COMMIT, ROLLBACK and bf.settle out of the file and out of what it calls.';
    end if;
    perform set_config('bf.transaction', '', true);
    update bf.job set state = 'done', finished_at = clock_timestamp(), not_before = null, error = null, error_category = null,
           waits = null, waits_since = null, waits_why = null
     where run = p_run and step = p_step and seq = p_seq and state = 'running' and epoch = p_epoch;
    if not found then
        if exists (select from bf.job
                    where run = p_run and step = p_step and seq = p_seq and state = 'done' and epoch = p_epoch) then
            raise exception 'the step''s SQL has set its own job to done' using errcode = 'BF002';
        end if;
        raise exception 'job %/%/#% is no longer held by epoch %', p_run, p_step, p_seq, p_epoch using errcode = 'BF001';
    end if;
end $$;
