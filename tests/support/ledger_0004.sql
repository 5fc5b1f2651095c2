-- A ledger as migrations 0001 to 0004 made it when they still held the functions, in the middle of its work: written by
-- pg_dump after the only worker was killed. days.done and days.other are done; days.failed has failed at 2024-02-05;
-- days.mid, keys.mid and walk.mid are at work, of which walk.mid has two programs at checkpoint 7; days.stopped is
-- stopped. tests/cli/upgrade.bats migrates it, and lets everything end.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA bf;

COMMENT ON SCHEMA bf IS 'The ledger of the backfill queue: what was asked for, what is done, who decided.';

CREATE FUNCTION bf.advance(p_run text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    v_state text;
begin
    perform from bf.run where run = p_run for no key update; -- whoever decides about it has decided
    if exists (select from bf.run where run = p_run and cancelling) then
        perform bf.split(p_run); -- of what failed while it was decided
        return bf.cancel_part(p_run);
    end if;
    if not exists (select from bf.step where run = p_run and split) then
        return bf.advance_settled(p_run);
    end if;
    loop
        perform bf.split(p_run);
        begin
            v_state := bf.advance_settled(p_run);
            if exists (select from bf.split_wanted where run = p_run) then -- settled meanwhile: it may have been taken for the last one
                raise exception 'again' using errcode = 'BF005';
            end if;
            return v_state;
        exception when sqlstate 'BF005' then
            null;
        end;
    end loop;
end $$;

CREATE FUNCTION bf.advance_settled(p_run text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    r bf.run;
    s bf.step;
    v_first int;
    v_failed bigint;
    v_job text;
    v_settled boolean;
    v_lacks boolean;
    v_moved boolean;
    v_verdict text;
    v_why text;
begin
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    if r.state in ('done', 'failed', 'cancelled') then
        return r.state;
    end if;
    if r.state in ('queued', 'waiting') then -- whether it still waits is found at the end
        r.state := 'running';
    end if;

    loop
        v_moved := false;
        for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
            if s.state = 'released' then
                if s.max_failed_ratio is not null and not s.halted then
                    select count(*) into v_failed from bf.job where run = p_run and step = s.step and state = 'failed';
                    if v_failed > s.max_failed_ratio * s.planned then
                        s.halted := true;
                        update bf.step set halted = true where run = p_run and step = s.step;
                        insert into bf.event (run, step, who, what, note)
                        values (p_run, s.step, 'ledger', 'step halted',
                                format('%s of %s jobs failed; at most a ratio of %s may', v_failed, s.planned, s.max_failed_ratio));
                    end if;
                end if;
                if s.halted then
                    update bf.job set state = 'skipped', finished_at = clock_timestamp(), note = 'its step was halted'
                     where run = p_run and step = s.step and seq >= s.floor and state = 'pending';
                end if;
                if s.by_chunk <> '{}' then
                    perform bf.let_chunks(s);
                end if;
                v_first := bf.first_unsettled(s);
                if v_first is not null then
                    if v_first > s.floor then
                        update bf.step set floor = v_first where run = p_run and step = s.step;
                    end if;
                    continue;
                end if;
                -- one whose chunks wait for chunks is not over before what it waits for, and stands like it where it lacks something for it
                continue when exists (select from bf.step n where n.run = p_run and n.step = any (s.by_chunk) and n.state in ('waiting', 'released'));
                v_lacks := exists (select from bf.step n where n.run = p_run and n.step = any (s.by_chunk) and bf.stops_others(n))
                       and exists (select from bf.job where run = p_run and step = s.step and state = 'skipped');
                v_verdict := case
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
                    when v_lacks and exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'failed'
                    when v_lacks then 'skipped'
                    when exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled')
                     and not exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'cancelled'
                    else 'done' end;
                if s.chronological then
                    perform bf.mark_over_hole(s);
                end if;
                update bf.step set state = v_verdict, floor = s.planned + 1, finished_at = clock_timestamp(), halted = halted or v_lacks
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_verdict);
                v_moved := true;
                continue;
            end if;
            if exists (select from bf.step n where n.run = p_run and n.step = any (s.needs)
                         and case when n.step = any (s.by_chunk) then n.state in ('skipped', 'cancelled') else bf.stops_others(n) end) then
                select format('step %s is %s', n.step, n.state) into v_why from bf.step n
                 where n.run = p_run and n.step = any (s.needs)
                   and case when n.step = any (s.by_chunk) then n.state in ('skipped', 'cancelled') else bf.stops_others(n) end order by n.ordinal limit 1;
                update bf.job set state = 'skipped', epoch = epoch + 1, finished_at = clock_timestamp(), note = v_why
                 where run = p_run and step = s.step and state in ('pending', 'running'); -- running: a retry made its step wait again
                update bf.step set state = 'skipped', floor = s.planned + 1, asked_at = null, finished_at = clock_timestamp()
                 where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step skipped');
                v_moved := true;
                continue;
            end if;
            v_settled := not exists (select from bf.step n where n.run = p_run and n.step = any (s.needs)
                                        and (n.state = 'waiting' or (n.state = 'released' and n.step <> all (s.by_chunk))));
            if s.kind = 'approval' then
                select state into v_job from bf.job where run = p_run and step = s.step;
                if v_job = 'pending' and not v_settled then -- a retry has opened again what it was asked about
                    update bf.step set asked_at = null where run = p_run and step = s.step and asked_at is not null;
                elsif v_job = 'pending' and r.state = 'running' and s.asked_at is null then
                    update bf.step set asked_at = clock_timestamp() where run = p_run and step = s.step;
                    insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'approval asked for');
                elsif v_job = 'pending' and r.state = 'running' and s.asked_at + s.timeout_ms * interval '1 millisecond' <= clock_timestamp() then
                    perform bf.decide_approval(p_run, s.step, s.on_timeout = 'approve', 'timeout',
                                               'nobody decided within ' || justify_interval(s.timeout_ms * interval '1 millisecond'), 'timeout');
                    v_moved := true;
                elsif v_job <> 'pending' and v_settled then
                    update bf.step set state = v_job, floor = s.planned + 1, finished_at = clock_timestamp()
                     where run = p_run and step = s.step;
                    insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step ' || v_job);
                    v_moved := true;
                end if;
            elsif r.state = 'running' and v_settled then
                update bf.step set state = 'released', released_at = clock_timestamp() where run = p_run and step = s.step;
                insert into bf.event (run, step, who, what) values (p_run, s.step, 'ledger', 'step released');
                v_moved := true;
            end if;
        end loop;
        exit when not v_moved;
    end loop;

    if not exists (select from bf.step where run = p_run and state in ('waiting', 'released')) then
        r.state := case when exists (select from bf.step where run = p_run and state = 'failed') then 'failed'
                        when exists (select from bf.step where run = p_run and state = 'cancelled') then 'cancelled'
                        else 'done' end;
    elsif r.state = 'stopping' and not exists (
        select from bf.step t join bf.job j using (run, step)
         where t.run = p_run and t.state = 'released' and j.seq >= t.floor and j.state = 'running') then
        r.state := 'stopped';
    elsif r.state = 'running' and not exists (select from bf.step where run = p_run and state = 'released')
        and exists (select from bf.step where run = p_run and state = 'waiting' and asked_at is not null) then
        r.state := 'waiting';
    end if;
    update bf.run set state = r.state,
           version = version + (state is distinct from r.state)::int,
           finished_at = case when r.state in ('done', 'failed', 'cancelled') then clock_timestamp() end
     where run = p_run and state is distinct from r.state;
    if found and r.state <> 'running' then
        insert into bf.event (run, who, what) values (p_run, 'ledger', 'run ' || r.state);
    end if;
    return r.state;
end $$;

CREATE FUNCTION bf.approve(p_run text, p_step text, p_approved boolean, p_who text, p_note text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    r bf.run;
    s bf.step;
    v_job text;
begin
    select * into r from bf.run where run = p_run for no key update;
    select * into s from bf.step where run = p_run and step = p_step;
    if s.step is null then
        return null;
    elsif s.kind <> 'approval' then
        return 'another kind';
    end if;
    select state into v_job from bf.job where run = p_run and step = p_step for no key update;
    if v_job <> 'pending' then
        return 'decided';
    elsif r.state in ('done', 'failed', 'cancelled') then
        return 'over';
    elsif s.asked_at is null then
        return 'not asked';
    end if;
    perform bf.decide_approval(p_run, p_step, p_approved, p_who, p_note, 'rejected');
    update bf.run set version = version + 1 where run = p_run;
    perform bf.advance(p_run);
    return case when p_approved then 'approved' else 'rejected' end;
end $$;

CREATE FUNCTION bf.cancel(p_run text, p_step text, p_chunk text, p_who text, p_note text) RETURNS integer
    LANGUAGE plpgsql
    AS $$
declare
    r bf.run;
    v_count int;
begin
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    if r.state in ('done', 'failed', 'cancelled') then
        return 0;
    end if;
    perform bf.split(p_run); -- the halves of what has failed are cancelled, too
    perform bf.mark_over_hole(t) from bf.step t where t.run = p_run and t.chronological;
    if p_step is null and p_chunk is null then
        v_count := bf.cancel_begin(p_run);
    else
        perform from bf.job where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running') order by step, seq for no key update;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
           and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        update bf.run set version = version + 1 where run = p_run and v_count > 0;
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, 'cancel', p_note);
    perform bf.advance(p_run);
    return v_count;
end $$;

CREATE FUNCTION bf.cancel_begin(p_run text) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
declare
    v_count int;
    v_steps text[];
    v_seqs int[];
begin
    select count(*), array_agg(step order by step, seq) filter (where state = 'running'), array_agg(seq order by step, seq) filter (where state = 'running')
      into v_count, v_steps, v_seqs
      from bf.job where run = p_run and state in ('pending', 'running');
    for i in 1 .. coalesce(cardinality(v_steps), 0) loop -- each by its key, in their order
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = v_steps[i] and seq = v_seqs[i] and state = 'running';
    end loop;
    update bf.run set state = 'stopping', cancelling = true, version = version + 1 where run = p_run;
    return v_count;
end $$;

CREATE FUNCTION bf.cancel_part(p_run text) RETURNS text
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    SET enable_sort TO 'off'
    AS $$ -- along the key, whatever is known of so young a table
declare
    r bf.run;
    s bf.step;
    v_count int;
    v_last int;
    v_verdict text;
    v_left int := 10000;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.cancelling is not true then
        return r.state;
    end if;
    for s in select * from bf.step where run = p_run and state in ('waiting', 'released') order by ordinal loop
        select max(seq) into v_last from (
            select seq from bf.job where run = p_run and step = s.step and seq >= s.floor and state in ('pending', 'running')
             order by seq limit v_left for no key update) part;
        update bf.job set state = 'cancelled', epoch = epoch + 1, finished_at = clock_timestamp()
         where run = p_run and step = s.step and seq between s.floor and v_last and state in ('pending', 'running');
        get diagnostics v_count = row_count;
        v_left := v_left - v_count;
        if v_left = 0 then
            update bf.step set floor = v_last + 1 where run = p_run and step = s.step;
            return r.state;
        end if;
        v_verdict := case -- one of which nothing is cancelled is what its jobs are: a retry has nothing to open in it
            when v_count > 0 or exists (select from bf.job where run = p_run and step = s.step and state = 'cancelled') then 'cancelled'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'failed') then 'failed'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'done') then 'done'
            when exists (select from bf.job where run = p_run and step = s.step and state = 'skipped') then 'skipped'
            else 'cancelled' end;
        update bf.step set state = v_verdict, asked_at = null, finished_at = clock_timestamp() where run = p_run and step = s.step;
    end loop;
    update bf.run set state = 'cancelled', cancelling = false, version = version + 1, finished_at = clock_timestamp() where run = p_run;
    return 'cancelled';
end $$;

CREATE FUNCTION bf.cancel_rest(p_run text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    while exists (select from bf.run where run = p_run and cancelling) loop
        perform bf.cancel_part(p_run);
    end loop;
end $$;

CREATE FUNCTION bf.decide_approval(p_run text, p_step text, p_approved boolean, p_who text, p_note text, p_category text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    update bf.job
       set state = case when p_approved then 'done' else 'failed' end,
           epoch = epoch + 1, worker = null, finished_at = clock_timestamp(),
           attempts = attempts + (not p_approved)::int,
           note = case when p_approved then 'approved by ' || p_who || coalesce(': ' || p_note, '') end,
           error_category = case when not p_approved then p_category end,
           error = case when not p_approved then 'rejected by ' || p_who || coalesce(': ' || p_note, '') end
     where run = p_run and step = p_step and state = 'pending';
    insert into bf.event (run, step, who, what, note)
    values (p_run, p_step, p_who, case when p_approved then 'approve' else 'reject' end, p_note);
    update bf.step set asked_at = null where run = p_run and step = p_step;
end $$;

CREATE FUNCTION bf.expect_none(p_rows jsonb, p_sqlstate text, p_what text) RETURNS void
    LANGUAGE plpgsql IMMUTABLE
    AS $$
begin
    if p_rows is not null then
        raise exception '%', p_what using errcode = p_sqlstate, detail = left(p_rows::text, 20000);
    end if;
end $$;

SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE bf.step (
    run text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    ordinal integer NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    state text DEFAULT 'waiting'::text NOT NULL COLLATE pg_catalog."C",
    planned integer NOT NULL,
    needs text[] DEFAULT '{}'::text[] NOT NULL,
    on_failure text NOT NULL COLLATE pg_catalog."C",
    concurrency integer DEFAULT 0 NOT NULL,
    chronological boolean DEFAULT false NOT NULL,
    per_run boolean DEFAULT false NOT NULL,
    halted boolean DEFAULT false NOT NULL,
    plan_number integer DEFAULT 1 NOT NULL,
    floor integer DEFAULT 1 NOT NULL,
    released_at timestamp with time zone,
    finished_at timestamp with time zone,
    timeout_ms bigint,
    on_timeout text COLLATE pg_catalog."C",
    review text,
    asked_at timestamp with time zone,
    max_failed_ratio double precision,
    split boolean DEFAULT false NOT NULL,
    by_chunk text[] DEFAULT '{}'::text[] NOT NULL,
    upto integer,
    lookback integer DEFAULT 0 NOT NULL,
    CONSTRAINT step_max_failed_ratio_check CHECK (((max_failed_ratio >= (0)::double precision) AND (max_failed_ratio <= (1)::double precision))),
    CONSTRAINT step_on_failure_check CHECK ((on_failure = ANY (ARRAY['halt'::text, 'continue'::text]))),
    CONSTRAINT step_on_timeout_check CHECK ((on_timeout = ANY (ARRAY['approve'::text, 'reject'::text]))),
    CONSTRAINT step_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'released'::text, 'done'::text, 'failed'::text, 'skipped'::text, 'cancelled'::text])))
)
WITH (fillfactor='50');

COMMENT ON COLUMN bf.step.halted IS 'A job of this chronological step failed for good; what comes after it is not opened.';

COMMENT ON COLUMN bf.step.plan_number IS 'Rises when settled jobs are opened again: the pending list in Redis is then made anew.';

COMMENT ON COLUMN bf.step.floor IS 'Every job with a smaller seq is settled.';

COMMENT ON COLUMN bf.step.timeout_ms IS 'Of an approval: how long a person is asked before `on_timeout` decides.';

COMMENT ON COLUMN bf.step.review IS 'Of an approval: what the person should look at.';

COMMENT ON COLUMN bf.step.asked_at IS 'Of an approval: since when a person is asked. It stays `waiting` and never goes to the queue.';

COMMENT ON COLUMN bf.step.max_failed_ratio IS 'Up to this part of its jobs may fail without stopping what comes after; beyond it the step is halted.';

COMMENT ON COLUMN bf.step.split IS 'A chunk of several days that failed for good is split in two.';

COMMENT ON COLUMN bf.step.by_chunk IS 'Those of its needs for which each of its chunks waits by chunks.';

COMMENT ON COLUMN bf.step.upto IS 'Jobs with a greater seq wait for chunks of `by_chunk`; null: it has none.';

COMMENT ON COLUMN bf.step.lookback IS 'How many days, or keys, before its own each of its chunks is made of, too.';

CREATE FUNCTION bf.first_unsettled(s bf.step) RETURNS integer
    LANGUAGE sql STABLE
    AS $$
    select seq from bf.job where run = s.run and step = s.step and seq >= s.floor and state in ('pending', 'running') order by seq limit 1
$$;

CREATE FUNCTION bf.let_chunks(s bf.step) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    v_need bf.step;
    v_first int;
    v_next int;
    v_lacks int;
    v_upto int := s.planned;
begin
    for i in 1 .. cardinality(s.by_chunk) loop
        select * into v_need from bf.step where run = s.run and step = s.by_chunk[i];
        v_first := bf.first_unsettled(v_need);
        continue when v_first is null;
        select seq into v_next from bf.job
         where run = s.run and step = s.step and seq > s.upto and upper(after[i]) > v_first order by seq limit 1;
        v_upto := least(v_upto, v_next - 1);
    end loop;
    if v_upto <= s.upto then
        return;
    end if;
    with lacking as (
        select j.seq, l.need, l.chunk, l.state from bf.job j
         cross join lateral (select w.need, a.chunk, a.state from unnest(s.by_chunk, j.after) as w (need, seqs)
                               join bf.step n on n.run = s.run and n.step = w.need
                              cross join lateral (select chunk, state from bf.job a
                                                   where a.run = s.run and a.step = w.need and a.seq >= lower(w.seqs) and a.seq < upper(w.seqs)
                                                     and (a.state in ('skipped', 'cancelled', 'undone')
                                                          or (a.state = 'failed' and case when n.max_failed_ratio is null then n.on_failure = 'halt' else n.halted end))
                                                   order by state <> 'failed', seq limit 1) a
                              order by a.state <> 'failed' limit 1) l
         where j.run = s.run and j.step = s.step and j.seq > s.upto and j.seq <= v_upto and j.state = 'pending'),
    skipped as (
        update bf.job j set state = 'skipped', finished_at = clock_timestamp(), note = format('%s of step %s is %s', l.chunk, l.need, l.state)
          from lacking l where j.run = s.run and j.step = s.step and j.seq = l.seq and j.state = 'pending'
        returning j.seq)
    select min(seq) into v_lacks from skipped;
    if s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null then -- no hole before a chunk: it ends here
        update bf.job set state = 'skipped', finished_at = clock_timestamp(), note = 'a chunk before it is skipped'
         where run = s.run and step = s.step and seq > v_lacks and state = 'pending';
    end if;
    update bf.step set upto = v_upto where run = s.run and step = s.step;
end $$;

CREATE FUNCTION bf.mark_done_without(s bf.step) RETURNS void
    LANGUAGE sql
    AS $$
    with recursive up(step) as (
        select unnest(s.needs) collate "C"
        union
        select unnest(n.needs) collate "C" from up join bf.step n on n.run = s.run and n.step = up.step and n.kind in ('check', 'soak', 'approval')),
    missing as materialized (
        select a.step, a.seq, a.since, a.until, a.key, n.per_run
          from up join bf.step n on n.run = s.run and n.step = up.step and n.kind not in ('check', 'soak', 'approval')
          join bf.job a on a.run = n.run and a.step = n.step
         where a.state in ('pending', 'running') or (a.state = 'done' and a.over_hole)),
    days as materialized (select range_agg(daterange(since, until + s.lookback, '[]')) as missing from missing where since is not null having count(*) > 0),
    seqs as materialized (select step, range_agg(int4range(seq, seq, '[]')) as missing from missing where step = any (s.by_chunk) group by step),
    hit(seq) as (
        select j.seq from bf.job j
         where j.run = s.run and j.step = s.step and (select case when s.per_run then count(*) > 0 else bool_or(per_run) end from missing)
        union
        select j.seq from days join bf.job j on daterange(j.since, j.until, '[]') && days.missing where j.run = s.run and j.step = s.step
        union
        select j.seq from missing m join bf.job j on j.key = m.key where j.run = s.run and j.step = s.step
        union -- keys that look back at one: as far as it and the key that is looked back to are jobs of this step
        select j.seq from missing m
          join bf.job k on k.run = s.run and k.step = s.step and k.key = m.key
         cross join generate_series(1, s.lookback) as d
          join bf.job j on j.run = s.run and j.step = s.step and j.seq = k.seq + d
          left join bf.job b on b.run = s.run and b.step = s.step and b.key = j.lookback_key
         where coalesce(b.seq, 0) <= k.seq
        union -- chunk by chunk it is written down
        select j.seq from bf.job j cross join lateral unnest(s.by_chunk, j.after) as w (need, seqs) join seqs on seqs.step = w.need and seqs.missing && w.seqs
         where j.run = s.run and j.step = s.step and s.by_chunk <> '{}')
    update bf.job j set over_hole = true
      from (select seq from hit
            union
            select a.seq from bf.job a where a.run = s.run and a.step = s.step and s.chronological and a.seq > (select min(seq) from hit)) h
     where j.run = s.run and j.step = s.step and j.seq = h.seq and j.over_hole is not true
       and (j.state in ('done', 'running') or (j.state = 'pending' and j.checkpoint is not null)) -- it begins anew
$$;

CREATE FUNCTION bf.mark_over_hole(s bf.step) RETURNS void
    LANGUAGE sql
    AS $$
    update bf.job set over_hole = true
     where run = s.run and step = s.step and state in ('done', 'running') and over_hole is not true
       and seq > (select min(seq) from bf.job where run = s.run and step = s.step and state in ('failed', 'cancelled', 'skipped') and split is not true
                     and seq not in (select bf.taken(s.run, s.step))) -- another run has filled it
$$;

CREATE FUNCTION bf.resume(p_run text, p_who text, p_note text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for no key update;
    if r.state in ('stopping', 'stopped') and not r.cancelling then
        update bf.run set state = 'running', version = version + 1, finished_at = null where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'resume', p_note);
        return bf.advance(p_run);
    end if;
    return r.state;
end $$;

CREATE FUNCTION bf.retry(p_run text, p_step text, p_chunk text, p_who text, p_note text, p_downstream boolean DEFAULT false) RETURNS integer
    LANGUAGE plpgsql
    SET enable_nestloop TO 'off'
    SET jit TO 'off'
    AS $$ -- many jobs have just changed, and what is known of them has not
declare
    r bf.run;
    s bf.step;
    v_count bigint;
    v_total int := 0;
    v_again text[] := '{}'; -- steps with failed and cancelled jobs
    v_below text[];         -- these, those whose done jobs are opened, and what comes after them
    v_gate boolean;
    v_lowest int;
begin
    -- not while a run of the pipeline is being planned, which looks at what is held
    perform pg_advisory_xact_lock(hashtext('bf.plan'), hashtext(pipeline)) from bf.run where run = p_run;
    select * into r from bf.run where run = p_run for no key update;
    if not found then
        return null;
    end if;
    perform from bf.job where run = p_run and state = 'running' order by step, seq for no key update; -- in the order of those who settle them
    for s in select * from bf.step where run = p_run order by ordinal loop
        if s.chronological then
            perform bf.mark_over_hole(s);
        end if;
        with again as (
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1
             where run = p_run and step = s.step and state in ('failed', 'cancelled')
               and (p_step is null or step = p_step) and (p_chunk is null or chunk = p_chunk)
               and seq not in (select bf.taken(p_run, s.step))
            returning seq)
        select count(*), min(seq) into v_count, v_lowest from again;
        continue when v_count = 0;
        v_total := v_total + v_count;
        v_again := v_again || s.step;
        update bf.step set halted = false where run = p_run and step = s.step;
        if s.chronological then
            update bf.job set over_hole = true where run = p_run and step = s.step and state = 'pending' and seq > v_lowest and checkpoint is not null;
        end if;
        if s.chronological or s.max_failed_ratio is not null or s.by_chunk <> '{}' then -- what its halt had skipped, or lacked something
            update bf.job set state = 'pending', finished_at = null, note = null
             where run = p_run and step = s.step and state = 'skipped' and split is not true
               and (seq > v_lowest or not s.chronological or s.by_chunk <> '{}')
               and seq not in (select bf.taken(p_run, s.step));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
    end loop;
    v_below := v_again;
    for s in
        with recursive hops(step, n) as (
            select t.step, 0 from bf.step t where t.run = p_run
            union
            select t.step, h.n + 1 from hops h join bf.step t on t.run = p_run and h.step = any (t.needs))
        select t.* from bf.step t join (select step, max(n) as n from hops group by step) h using (step) where t.run = p_run order by h.n, t.ordinal
    loop -- each after all that it needs
        if s.needs && v_below and not s.step = any (v_below) then
            v_below := v_below || s.step;
        end if;
        v_gate := s.kind in ('check', 'soak', 'approval');
        if s.step = any (v_below) and not s.step = any (v_again) then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   note = case when state <> 'skipped' then note end
             where run = p_run and step = s.step and seq not in (select bf.taken(p_run, s.step))
               and ((state = 'skipped' and split is not true) or (v_gate and state in ('done', 'failed')));
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
        end if;
        if s.step = any (v_below) and not v_gate then
            perform bf.mark_done_without(s);
        end if;
        update bf.job set over_hole = null -- another run's by now
         where run = p_run and step = s.step and state = 'done' and over_hole and seq in (select bf.taken(p_run, s.step));
        if p_downstream and not v_gate then
            update bf.job set state = 'pending', attempts = 0, crashes = 0, deaths = 0, not_before = null, finished_at = null, epoch = epoch + 1,
                   redone = coalesce(redone, 0) + 1
             where run = p_run and step = s.step and state = 'done' and over_hole;
            get diagnostics v_count = row_count;
            v_total := v_total + v_count;
            if v_count > 0 and not s.step = any (v_below) then
                v_below := v_below || s.step;
            end if;
        end if;
    end loop;
    if v_total = 0 then
        return 0;
    end if;
    update bf.step t set state = 'waiting', floor = 1, upto = case when upto is not null then 0 end, plan_number = plan_number + 1, finished_at = null,
           halted = halted and (by_chunk = '{}' or exists (select from bf.job j where j.run = p_run and j.step = t.step and j.state = 'failed'))
     where t.run = p_run and t.step = any (v_below); -- also where nothing is to be done again: what comes after it has to wait
    update bf.run set version = version + 1, finished_at = null,
           state = case when state in ('done', 'failed', 'cancelled') then 'running' else state end
     where run = p_run;
    insert into bf.event (run, step, chunk, who, what, note)
    values (p_run, p_step, p_chunk, p_who, case when p_downstream then 'retry downstream' else 'retry' end, p_note);
    perform bf.advance(p_run);
    return v_total;
end $$;

CREATE FUNCTION bf.settle(p_run text, p_step text, p_seq integer, p_epoch integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    if current_setting('bf.transaction', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the step''s SQL ended the transaction it was given'
            using errcode = 'BF002', hint = 'Take COMMIT and ROLLBACK out of the file and out of the procedures it calls.';
    end if;
    update bf.job set state = 'done', finished_at = clock_timestamp(), not_before = null, error = null, error_category = null
     where run = p_run and step = p_step and seq = p_seq and state = 'running' and epoch = p_epoch;
    if not found then
        raise exception 'job %/%/#% is no longer held by epoch %', p_run, p_step, p_seq, p_epoch using errcode = 'BF001';
    end if;
end $$;

CREATE FUNCTION bf.split(p_run text) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET "DateStyle" TO 'ISO, MDY'
    AS $$
declare
    w record;
    v_half date;
    v_planned int;
    v_ended boolean;
    v_count int := 0;
begin
    if not exists (select from bf.split_wanted where run = p_run) then
        return 0;
    end if;
    select state in ('done', 'failed', 'cancelled') into v_ended from bf.run where run = p_run for no key update;
    for w in
        delete from bf.split_wanted x using bf.job j
         where x.run = p_run and j.run = x.run and j.step = x.step and j.seq = x.seq
        returning j.step, j.seq, j.chunk, j.since, j.until, j.state = 'skipped' and j.split is true and j.since < j.until as due
    loop
        continue when not w.due;
        v_half := w.since + (w.until - w.since) / 2;
        select planned into v_planned from bf.step where run = p_run and step = w.step for no key update;
        insert into bf.job (run, step, seq, chunk, since, until, state, finished_at)
        select p_run, w.step, v_planned + h.n, case when h.since = h.until then h.since::text else h.since || '..' || h.until end, h.since, h.until,
               case when v_ended then 'cancelled' else 'pending' end, case when v_ended then clock_timestamp() end
          from (values (1, w.since, v_half), (2, v_half + 1, w.until)) as h (n, since, until);
        update bf.step set planned = v_planned + 2 where run = p_run and step = w.step;
        insert into bf.event (run, step, chunk, who, what) values (p_run, w.step, w.chunk, 'ledger', 'chunk split in two');
        v_count := v_count + 1;
    end loop;
    return v_count;
end $$;

CREATE FUNCTION bf.stop(p_run text, p_who text, p_note text) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
    v_state text;
begin
    select state into v_state from bf.run where run = p_run for no key update;
    if v_state in ('queued', 'running', 'waiting') then
        update bf.run set state = 'stopping', version = version + 1 where run = p_run;
        insert into bf.event (run, who, what, note) values (p_run, p_who, 'stop', p_note);
        return bf.advance(p_run);
    end if;
    return v_state;
end $$;

CREATE FUNCTION bf.stops_others(s bf.step) RETURNS boolean
    LANGUAGE sql IMMUTABLE
    AS $$
    select s.state in ('skipped', 'cancelled')
        or (s.state = 'failed' and (s.kind = 'approval' or case when s.max_failed_ratio is null then s.on_failure = 'halt' else s.halted end
                                    or (s.halted and s.by_chunk <> '{}')))
$$;

CREATE FUNCTION bf.taken(p_run text, p_step text) RETURNS SETOF integer
    LANGUAGE sql STABLE
    AS $$
    with others as materialized (
        select k.since, k.until, k.key
          from bf.run me
          join bf.step s on s.run = me.run and s.step = p_step and not s.per_run
          join bf.run o on o.pipeline = me.pipeline and o.identity = me.identity and o.run <> me.run
          join bf.job k on k.run = o.run and k.step = p_step
         where me.run = p_run
           and ((k.state = 'done' and o.created_at > me.created_at)
                or (k.state in ('pending', 'running') and o.state not in ('done', 'failed', 'cancelled')))
    ), taken as (
        select coalesce(range_agg(daterange(since, until, '[]')), '{}') as days from others where since is not null
    )
    select j.seq from bf.job j, taken t
     where j.run = p_run and j.step = p_step and j.since is not null and daterange(j.since, j.until, '[]') && t.days
    union all
    select j.seq from bf.job j
     where j.run = p_run and j.step = p_step and exists (select from others o where o.key = j.key)
$$;

CREATE FUNCTION bf.undo(p_run text, p_step text, p_seq integer, p_epoch integer, p_who text, p_note text) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    v_chunk text;
begin
    if current_setting('bf.undo', true) is distinct from pg_current_xact_id()::text then
        raise exception 'the rollback file has ended the transaction that it runs in' using errcode = 'BF001';
    end if;
    update bf.job set state = 'undone', epoch = epoch + 1, note = 'undone by ' || p_who || coalesce(': ' || p_note, '')
     where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch and state = 'done'
    returning chunk into v_chunk;
    if v_chunk is null then
        raise exception 'job %/%#% is not done any more', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, v_chunk, p_who, 'undo', p_note);
end $$;

CREATE FUNCTION bf.undo_begin(p_run text, p_step text, p_seq integer, p_epoch integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
    r bf.run;
begin
    select * into r from bf.run where run = p_run for share;
    if r.state is null or r.state not in ('done', 'failed', 'cancelled', 'stopped') then
        raise exception 'run % is %, and would go on beside it', p_run, coalesce(r.state, 'unknown') using errcode = 'BF001';
    end if;
    perform from bf.job where run = p_run and step = p_step and seq = p_seq and epoch = p_epoch and state = 'done' for update;
    if not found then
        raise exception 'job %/%#% is not done, or was done again since', p_run, p_step, p_seq using errcode = 'BF001';
    end if;
    if exists (select from bf.run o where o.pipeline = r.pipeline and o.identity = r.identity and o.run <> r.run
                  and (o.created_at > r.created_at or o.state not in ('done', 'failed', 'cancelled')))
       and p_seq in (select bf.taken(p_run, p_step)) then
        raise exception 'another run has done it since, or is about to' using errcode = 'BF001';
    end if;
    perform set_config('bf.undo', pg_current_xact_id()::text, true);
end $$;

CREATE TABLE bf.pipeline (
    sha256 text NOT NULL,
    name text NOT NULL,
    body jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

COMMENT ON TABLE bf.pipeline IS 'Pipeline bodies, pinned by hash: editing a file never changes a run under way.';

CREATE TABLE bf.run (
    run text NOT NULL COLLATE pg_catalog."C",
    pipeline text NOT NULL COLLATE pg_catalog."C",
    sha256 text NOT NULL,
    dir text NOT NULL,
    queue text NOT NULL COLLATE pg_catalog."C",
    since date,
    until date,
    params jsonb DEFAULT '{}'::jsonb NOT NULL,
    identity jsonb DEFAULT '{}'::jsonb NOT NULL,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    concurrency integer NOT NULL,
    interval_ms double precision DEFAULT 0 NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL COLLATE pg_catalog."C",
    version integer DEFAULT 0 NOT NULL,
    requested_by text NOT NULL,
    note text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    throttle_ms bigint,
    throttle_at timestamp with time zone,
    held_until timestamp with time zone,
    held_since timestamp with time zone,
    held_reason text,
    cancelling boolean DEFAULT false NOT NULL,
    CONSTRAINT run_check CHECK (((since IS NULL) = (until IS NULL))),
    CONSTRAINT run_check1 CHECK ((since <= until)),
    CONSTRAINT run_concurrency_check CHECK ((concurrency > 0)),
    CONSTRAINT run_interval_ms_check CHECK ((interval_ms >= (0)::double precision)),
    CONSTRAINT run_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'waiting'::text, 'stopping'::text, 'stopped'::text, 'done'::text, 'failed'::text, 'cancelled'::text])))
)
WITH (fillfactor='50');

COMMENT ON COLUMN bf.run.identity IS 'The parameters that the pipeline declares as identity: coverage belongs to (pipeline, step, identity).';

COMMENT ON COLUMN bf.run.version IS 'Rises with each decision of an operator; workers that hold jobs of the run look again when they see it change.';

COMMENT ON COLUMN bf.run.throttle_ms IS 'How often the pipeline''s throttle is asked; null: it has none.';

COMMENT ON COLUMN bf.run.throttle_at IS 'When it was last asked.';

COMMENT ON COLUMN bf.run.held_until IS 'Until then nothing of the run is opened; renewed as long as the throttle says so.';

COMMENT ON COLUMN bf.run.held_reason IS 'Why, in words; null: it is not held back.';

COMMENT ON COLUMN bf.run.cancelling IS 'It was decided to cancel all of it; it is "stopping" until its last job is.';

CREATE VIEW bf.artifacts AS
 SELECT r.run,
    r.pipeline,
    replace(a.key, '{{date}}'::text, to_char((r.created_at AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD'::text)) AS file,
    (a.value ->> 'what'::text) AS what,
        CASE jsonb_typeof((a.value -> 'step'::text))
            WHEN 'string'::text THEN ARRAY[(a.value ->> 'step'::text)]
            WHEN 'array'::text THEN ARRAY( SELECT jsonb_array_elements_text((a.value -> 'step'::text)) AS jsonb_array_elements_text)
            ELSE '{}'::text[]
        END AS steps,
    COALESCE(((a.value ->> 'size'::text))::integer, 100) AS size,
    COALESCE((a.value ->> 'array'::text), 'violations'::text) AS "array"
   FROM ((bf.run r
     JOIN bf.pipeline p USING (sha256))
     CROSS JOIN LATERAL jsonb_each(COALESCE((p.body -> 'artifacts'::text), '{}'::jsonb)) a(key, value));

COMMENT ON VIEW bf.artifacts IS 'The files that a run''s pipeline wants to be written about it; steps: only about these.';

CREATE TABLE bf.attempt (
    run text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    seq integer NOT NULL,
    epoch integer NOT NULL,
    worker text COLLATE pg_catalog."C",
    started_at timestamp with time zone,
    ended_at timestamp with time zone DEFAULT now() NOT NULL,
    category text NOT NULL COLLATE pg_catalog."C",
    error text NOT NULL,
    output_tail text
);

COMMENT ON TABLE bf.attempt IS 'Append-only: every try that did not end in done.';

CREATE TABLE bf.check_result (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    run text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    seq integer NOT NULL,
    epoch integer NOT NULL,
    type text NOT NULL COLLATE pg_catalog."C",
    actual double precision,
    expected text NOT NULL,
    outcome text NOT NULL COLLATE pg_catalog."C",
    name text COLLATE pg_catalog."C",
    found text,
    violations jsonb,
    CONSTRAINT check_result_outcome_check CHECK ((outcome = ANY (ARRAY['pass'::text, 'warn'::text, 'fail'::text])))
);

COMMENT ON COLUMN bf.check_result.name IS 'Of a soak: which of its checks; a check step has only one, and no name for it.';

COMMENT ON COLUMN bf.check_result.found IS 'What was found, in words.';

COMMENT ON COLUMN bf.check_result.violations IS 'The first rows, or days, that should not be there or are missing.';

ALTER TABLE bf.check_result ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME bf.check_result_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE bf.job (
    run text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    seq integer NOT NULL,
    chunk text NOT NULL COLLATE pg_catalog."C",
    since date,
    until date,
    key text COLLATE pg_catalog."C",
    state text DEFAULT 'pending'::text NOT NULL COLLATE pg_catalog."C",
    epoch integer DEFAULT 0 NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    crashes integer DEFAULT 0 NOT NULL,
    deaths integer DEFAULT 0 NOT NULL,
    alone boolean DEFAULT false NOT NULL,
    not_before timestamp with time zone,
    worker text COLLATE pg_catalog."C",
    backend_pid integer,
    backend_start timestamp with time zone,
    started_at timestamp with time zone,
    finished_at timestamp with time zone,
    rows bigint,
    progress_done bigint,
    progress_total bigint,
    progress_number integer DEFAULT 0 NOT NULL,
    checkpoint text,
    note text,
    error_category text COLLATE pg_catalog."C",
    error text,
    split boolean,
    after int4range[],
    lookback_key text COLLATE pg_catalog."C",
    over_hole boolean,
    redone integer,
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'done'::text, 'failed'::text, 'skipped'::text, 'cancelled'::text, 'undone'::text])))
)
WITH (fillfactor='45');

COMMENT ON COLUMN bf.job.seq IS 'The place in the order of its step, from 1, without holes.';

COMMENT ON COLUMN bf.job.epoch IS 'Rises each time the job is opened or taken away; only the attempt with the present epoch may change anything.';

COMMENT ON COLUMN bf.job.attempts IS 'Tries that failed. A hand-back, a server away or a lock conflict is not a try.';

COMMENT ON COLUMN bf.job.crashes IS 'How often its worker was gone while it was open, in the company of others. From the second time on it runs alone.';

COMMENT ON COLUMN bf.job.deaths IS 'How often its worker was gone while it ran alone. At the third it has failed.';

COMMENT ON COLUMN bf.job.split IS 'True: it has failed, and two other jobs have its days. It is not opened again.';

COMMENT ON COLUMN bf.job.after IS 'For each step of its step''s `by_chunk`: which of that step''s jobs (seq) it waits for.';

COMMENT ON COLUMN bf.job.lookback_key IS 'The key that its step looks back to.';

COMMENT ON COLUMN bf.job.over_hole IS 'Something was not there that it was made of: a chunk before it in a step that goes in order, or in a step before its own. Of one that is pending: its checkpoint is of that time, and is not used.';

COMMENT ON COLUMN bf.job.redone IS 'How often it was opened again although it was done; null: never. Its idempotency key ends in it.';

CREATE VIEW bf.coverage AS
 SELECT r.pipeline,
    j.step,
    r.identity,
    range_agg(daterange(j.since, j.until, '[]'::text)) AS done
   FROM (bf.job j
     JOIN bf.run r USING (run))
  WHERE ((j.state = 'done'::text) AND (j.since IS NOT NULL))
  GROUP BY r.pipeline, j.step, r.identity;

COMMENT ON VIEW bf.coverage IS 'The days that are done, per pipeline, step and identity, over all runs.';

CREATE TABLE bf.event (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    run text COLLATE pg_catalog."C",
    step text COLLATE pg_catalog."C",
    chunk text COLLATE pg_catalog."C",
    who text NOT NULL,
    what text NOT NULL COLLATE pg_catalog."C",
    note text
);

COMMENT ON TABLE bf.event IS 'Append-only: who did what, when.';

ALTER TABLE bf.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME bf.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW bf.failures AS
 SELECT j.run,
    r.pipeline,
    j.step,
    j.seq,
    j.chunk,
    j.attempts,
    j.error_category,
    j.error,
    a.output_tail,
    j.worker,
    j.finished_at,
    format('enqueue retry %s --step=%s --chunk=%s'::text, j.run, j.step,
        CASE
            WHEN (j.chunk ~ '^[A-Za-z0-9._:@%/+=,-]+$'::text) THEN j.chunk
            ELSE ((''''::text || replace(j.chunk, ''''::text, '''\'''''::text)) || ''''::text)
        END) AS retry_with
   FROM ((bf.job j
     JOIN bf.run r USING (run))
     LEFT JOIN LATERAL ( SELECT a_1.output_tail
           FROM bf.attempt a_1
          WHERE ((a_1.run = j.run) AND (a_1.step = j.step) AND (a_1.seq = j.seq))
          ORDER BY a_1.epoch DESC
         LIMIT 1) a ON (true))
  WHERE (j.state = 'failed'::text);

COMMENT ON VIEW bf.failures IS 'What failed for good, why, and the command that tries it again.';

CREATE VIEW bf.gaps AS
 WITH asked AS (
         SELECT r.pipeline,
            j.step,
            r.identity,
            range_agg(daterange(j.since, j.until, '[]'::text)) AS days
           FROM (bf.job j
             JOIN bf.run r USING (run))
          WHERE (j.since IS NOT NULL)
          GROUP BY r.pipeline, j.step, r.identity
        )
 SELECT a.pipeline,
    a.step,
    a.identity,
    (g.day)::date AS day
   FROM (((asked a
     LEFT JOIN bf.coverage c USING (pipeline, step, identity))
     CROSS JOIN LATERAL unnest((a.days - COALESCE(c.done, '{}'::datemultirange))) missing(r))
     CROSS JOIN LATERAL generate_series((lower(missing.r))::timestamp with time zone, ((upper(missing.r) - 1))::timestamp with time zone, '1 day'::interval) g(day));

COMMENT ON VIEW bf.gaps IS 'Days that some run was asked for and that no run has done.';

CREATE TABLE bf.meta (
    one boolean DEFAULT true NOT NULL,
    generation bigint NOT NULL,
    CONSTRAINT meta_one_check CHECK (one)
);

CREATE TABLE bf.migration (
    number integer NOT NULL,
    name text NOT NULL,
    oldest_program text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW bf.progress AS
SELECT
    NULL::text COLLATE pg_catalog."C" AS run,
    NULL::text COLLATE pg_catalog."C" AS pipeline,
    NULL::text COLLATE pg_catalog."C" AS step,
    NULL::integer AS ordinal,
    NULL::text COLLATE pg_catalog."C" AS kind,
    NULL::text COLLATE pg_catalog."C" AS state,
    NULL::integer AS planned,
    NULL::bigint AS pending,
    NULL::bigint AS running,
    NULL::bigint AS done,
    NULL::bigint AS failed,
    NULL::bigint AS skipped,
    NULL::bigint AS cancelled,
    NULL::bigint AS undone,
    NULL::timestamp with time zone AS started_at,
    NULL::timestamp with time zone AS finished_at;

COMMENT ON VIEW bf.progress IS 'How many jobs of each step are in which state.';

CREATE VIEW bf.rollbacks AS
 SELECT s.run,
    s.step,
    s.ordinal,
    s.chronological,
    ((p.body -> 'files'::text) ->> COALESCE(((e.step -> 'rollback'::text) ->> 'file'::text), (e.step ->> 'rollback'::text))) AS undo,
    ((p.body -> 'files'::text) ->> ((e.step -> 'rollback'::text) ->> 'changed'::text)) AS changed,
    ((p.body -> 'files'::text) ->> ((e.step -> 'rollback'::text) ->> 'verify'::text)) AS verify
   FROM (((bf.step s
     JOIN bf.run r USING (run))
     JOIN bf.pipeline p USING (sha256))
     CROSS JOIN LATERAL ( SELECT jsonb_array_elements.value
           FROM jsonb_array_elements((p.body -> 'steps'::text)) jsonb_array_elements(value)) e(step))
  WHERE (((e.step ->> 'name'::text) = s.step) AND (e.step ? 'rollback'::text));

COMMENT ON VIEW bf.rollbacks IS 'undo: statements; changed, verify: one query each, which must yield no row before, and after them; or null.';

CREATE TABLE bf.split_wanted (
    run text NOT NULL COLLATE pg_catalog."C",
    step text NOT NULL COLLATE pg_catalog."C",
    seq integer NOT NULL
);

COMMENT ON TABLE bf.split_wanted IS 'Jobs that are to be split at the next look at their run.';

CREATE TABLE public.bad (
    day date
);

CREATE TABLE public.effect (
    run text,
    step text,
    chunk text
);

CREATE TABLE public.pace (
    seconds double precision
);

INSERT INTO bf.attempt VALUES
	('days.failed', 'load', 5, 1, 'host-20407-62aw2d', '2026-12-01 16:29:00.359826+00', '2026-12-01 16:29:00.40361+00', 'sql', 'division by zero', NULL);

INSERT INTO bf.check_result OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-12-01 16:29:00.701444+00', 'days.other', 'counted', 1, 1, 'coverage', 1, 'fails if < 1', 'pass', NULL, 'counted: 3 of 3 days there (100 %), fails if < 1', NULL),
	(2, '2026-12-01 16:29:01.00272+00', 'days.done', 'counted', 1, 1, 'coverage', 1, 'fails if < 1', 'pass', NULL, 'counted: 5 of 5 days there (100 %), fails if < 1', NULL);

INSERT INTO bf.event OVERRIDING SYSTEM VALUE VALUES
	(1, '2026-12-01 16:28:57.162958+00', 'days.done', NULL, NULL, 'operator@host', 'plan', NULL),
	(2, '2026-12-01 16:28:57.380466+00', 'days.done', 'load', NULL, 'ledger', 'step released', NULL),
	(3, '2026-12-01 16:28:57.380863+00', 'days.done', 'roll', NULL, 'ledger', 'step released', NULL),
	(4, '2026-12-01 16:28:58.326819+00', 'days.failed', NULL, NULL, 'operator@host', 'plan', NULL),
	(5, '2026-12-01 16:28:58.426208+00', 'days.failed', 'load', NULL, 'ledger', 'step released', NULL),
	(6, '2026-12-01 16:28:58.426898+00', 'days.failed', 'roll', NULL, 'ledger', 'step released', NULL),
	(7, '2026-12-01 16:28:59.018367+00', 'days.other', NULL, NULL, 'operator@host', 'plan', NULL),
	(8, '2026-12-01 16:28:59.092276+00', 'days.other', 'load', NULL, 'ledger', 'step released', NULL),
	(9, '2026-12-01 16:28:59.093077+00', 'days.other', 'roll', NULL, 'ledger', 'step released', NULL),
	(10, '2026-12-01 16:29:00.321152+00', 'days.other', 'load', NULL, 'ledger', 'step done', NULL),
	(11, '2026-12-01 16:29:00.593071+00', 'days.failed', 'load', NULL, 'ledger', 'step failed', NULL),
	(12, '2026-12-01 16:29:00.616342+00', 'days.other', 'roll', NULL, 'ledger', 'step done', NULL),
	(13, '2026-12-01 16:29:00.61663+00', 'days.other', 'counted', NULL, 'ledger', 'step released', NULL),
	(14, '2026-12-01 16:29:00.658012+00', 'days.done', 'load', NULL, 'ledger', 'step done', NULL),
	(15, '2026-12-01 16:29:00.720769+00', 'days.failed', 'roll', NULL, 'ledger', 'step failed', NULL),
	(16, '2026-12-01 16:29:00.721251+00', 'days.failed', 'counted', NULL, 'ledger', 'step skipped', NULL),
	(17, '2026-12-01 16:29:00.724543+00', 'days.failed', 'sign', NULL, 'ledger', 'step skipped', NULL),
	(18, '2026-12-01 16:29:00.724893+00', 'days.failed', 'total', NULL, 'ledger', 'step skipped', NULL),
	(19, '2026-12-01 16:29:00.725425+00', 'days.failed', NULL, NULL, 'ledger', 'run failed', NULL),
	(20, '2026-12-01 16:29:00.784171+00', 'days.other', 'counted', NULL, 'ledger', 'step done', NULL),
	(21, '2026-12-01 16:29:00.784471+00', 'days.other', 'sign', NULL, 'ledger', 'approval asked for', NULL),
	(22, '2026-12-01 16:29:00.784809+00', 'days.other', NULL, NULL, 'ledger', 'run waiting', NULL),
	(23, '2026-12-01 16:29:00.895603+00', 'days.done', 'roll', NULL, 'ledger', 'step done', NULL),
	(24, '2026-12-01 16:29:00.895879+00', 'days.done', 'counted', NULL, 'ledger', 'step released', NULL),
	(25, '2026-12-01 16:29:01.059002+00', 'days.done', 'counted', NULL, 'ledger', 'step done', NULL),
	(26, '2026-12-01 16:29:01.059197+00', 'days.done', 'sign', NULL, 'ledger', 'approval asked for', NULL),
	(27, '2026-12-01 16:29:01.059377+00', 'days.done', NULL, NULL, 'ledger', 'run waiting', NULL),
	(28, '2026-12-01 16:29:02.656259+00', 'days.done', 'sign', NULL, 'Owner', 'approve', 'fine'),
	(29, '2026-12-01 16:29:02.672072+00', 'days.done', 'sign', NULL, 'ledger', 'step done', NULL),
	(30, '2026-12-01 16:29:02.672912+00', 'days.done', 'total', NULL, 'ledger', 'step released', NULL),
	(31, '2026-12-01 16:29:02.867296+00', 'days.done', 'total', NULL, 'ledger', 'step done', NULL),
	(32, '2026-12-01 16:29:02.867608+00', 'days.done', NULL, NULL, 'ledger', 'run done', NULL),
	(33, '2026-12-01 16:29:03.128189+00', 'days.other', 'sign', NULL, 'Owner', 'approve', NULL),
	(34, '2026-12-01 16:29:03.148928+00', 'days.other', 'sign', NULL, 'ledger', 'step done', NULL),
	(35, '2026-12-01 16:29:03.151604+00', 'days.other', 'total', NULL, 'ledger', 'step released', NULL),
	(36, '2026-12-01 16:29:03.30031+00', 'days.other', 'total', NULL, 'ledger', 'step done', NULL),
	(37, '2026-12-01 16:29:03.300559+00', 'days.other', NULL, NULL, 'ledger', 'run done', NULL),
	(38, '2026-12-01 16:29:04.866616+00', 'days.mid', NULL, NULL, 'operator@host', 'plan', NULL),
	(39, '2026-12-01 16:29:04.94786+00', 'days.mid', 'load', NULL, 'ledger', 'step released', NULL),
	(40, '2026-12-01 16:29:04.948496+00', 'days.mid', 'roll', NULL, 'ledger', 'step released', NULL),
	(41, '2026-12-01 16:29:05.61442+00', 'keys.mid', NULL, NULL, 'operator@host', 'plan', NULL),
	(42, '2026-12-01 16:29:05.774542+00', 'keys.mid', 'send', NULL, 'ledger', 'step released', NULL),
	(43, '2026-12-01 16:29:06.392272+00', 'days.stopped', NULL, NULL, 'operator@host', 'plan', NULL),
	(44, '2026-12-01 16:29:06.464714+00', 'days.stopped', 'load', NULL, 'ledger', 'step released', NULL),
	(45, '2026-12-01 16:29:06.465442+00', 'days.stopped', 'roll', NULL, 'ledger', 'step released', NULL),
	(46, '2026-12-01 16:29:06.695233+00', 'days.stopped', 'load', NULL, 'ledger', 'step done', NULL),
	(47, '2026-12-01 16:29:09.080745+00', 'walk.mid', NULL, NULL, 'operator@host', 'plan', NULL),
	(48, '2026-12-01 16:29:09.19716+00', 'walk.mid', 'walk', NULL, 'ledger', 'step released', NULL),
	(49, '2026-12-01 16:29:09.708323+00', 'days.stopped', NULL, NULL, 'operator@host', 'stop', NULL),
	(50, '2026-12-01 16:29:09.782691+00', 'days.stopped', NULL, NULL, 'ledger', 'run stopped', NULL);

INSERT INTO bf.job VALUES
	('days.failed', 'roll', 5, '2024-02-05', '2024-02-05', '2024-02-05', NULL, 'skipped', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.595004+00', NULL, NULL, NULL, 0, NULL, '2024-02-05 of step load is failed', NULL, NULL, NULL, '{"[3,6)"}', NULL, NULL, NULL),
	('days.failed', 'load', 5, '2024-02-05', '2024-02-05', '2024-02-05', NULL, 'failed', 1, 1, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.359826+00', '2026-12-01 16:29:00.430905+00', NULL, NULL, NULL, 0, NULL, NULL, 'sql', 'division by zero', NULL, NULL, NULL, NULL, NULL),
	('days.done', 'load', 1, '2024-01-01', '2024-01-01', '2024-01-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.138813+00', '2026-12-01 16:29:00.210613+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'roll', 1, '2024-01-01', '2024-01-01', '2024-01-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:00.678946+00', '2026-12-01 16:29:00.68009+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,2)"}', NULL, NULL, NULL),
	('days.done', 'load', 2, '2024-01-02', '2024-01-02', '2024-01-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.139118+00', '2026-12-01 16:29:00.199862+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'counted', 1, '2024-01-01..2024-01-05', '2024-01-01', '2024-01-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.949834+00', '2026-12-01 16:29:01.012096+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'sign', 1, '2024-01-01..2024-01-05', '2024-01-01', '2024-01-05', NULL, 'done', 1, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:02.653304+00', NULL, NULL, NULL, 0, NULL, 'approved by Owner: fine', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 2, '2024-02-02', '2024-02-02', '2024-02-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.154895+00', '2026-12-01 16:29:00.189025+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'total', 1, '2024-01-01..2024-01-05', '2024-01-01', '2024-01-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:02.740878+00', '2026-12-01 16:29:02.757414+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'roll', 2, '2024-01-02', '2024-01-02', '2024-01-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:00.678976+00', '2026-12-01 16:29:00.683145+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,3)"}', NULL, NULL, NULL),
	('days.done', 'roll', 3, '2024-01-03', '2024-01-03', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.696199+00', '2026-12-01 16:29:00.697258+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,4)"}', NULL, NULL, NULL),
	('days.done', 'load', 3, '2024-01-03', '2024-01-03', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.251778+00', '2026-12-01 16:29:00.262451+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'load', 4, '2024-01-04', '2024-01-04', '2024-01-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.251874+00', '2026-12-01 16:29:00.258889+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.done', 'load', 5, '2024-01-05', '2024-01-05', '2024-01-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.35971+00', '2026-12-01 16:29:00.382838+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 1, '2024-02-01', '2024-02-01', '2024-02-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:00.154811+00', '2026-12-01 16:29:00.226586+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 3, '2024-02-03', '2024-02-03', '2024-02-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.251883+00', '2026-12-01 16:29:00.259805+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 4, '2024-02-04', '2024-02-04', '2024-02-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:00.251891+00', '2026-12-01 16:29:00.326395+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 6, '2024-02-06', '2024-02-06', '2024-02-06', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.383127+00', '2026-12-01 16:29:00.390474+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 7, '2024-02-07', '2024-02-07', '2024-02-07', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.447786+00', '2026-12-01 16:29:00.463778+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 8, '2024-02-08', '2024-02-08', '2024-02-08', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.462232+00', '2026-12-01 16:29:00.46777+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 9, '2024-02-09', '2024-02-09', '2024-02-09', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.475358+00', '2026-12-01 16:29:00.490148+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'load', 10, '2024-02-10', '2024-02-10', '2024-02-10', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:00.490593+00', '2026-12-01 16:29:00.515717+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'roll', 1, '2024-02-01', '2024-02-01', '2024-02-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.622907+00', '2026-12-01 16:29:00.623918+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,2)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 2, '2024-02-02', '2024-02-02', '2024-02-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.622983+00', '2026-12-01 16:29:00.623873+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,3)"}', NULL, NULL, NULL),
	('days.done', 'roll', 4, '2024-01-04', '2024-01-04', '2024-01-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:00.698304+00', '2026-12-01 16:29:00.704528+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[2,5)"}', NULL, NULL, NULL),
	('days.done', 'roll', 5, '2024-01-05', '2024-01-05', '2024-01-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.712241+00', '2026-12-01 16:29:00.713233+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[3,6)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 3, '2024-02-03', '2024-02-03', '2024-02-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.646232+00', '2026-12-01 16:29:00.652345+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,4)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 4, '2024-02-04', '2024-02-04', '2024-02-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.646295+00', '2026-12-01 16:29:00.654134+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[2,5)"}', NULL, NULL, NULL),
	('days.other', 'sign', 1, '2024-01-01..2024-01-03', '2024-01-01', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:03.127435+00', NULL, NULL, NULL, 0, NULL, 'approved by Owner', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.other', 'counted', 1, '2024-01-01..2024-01-03', '2024-01-01', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.674307+00', '2026-12-01 16:29:00.711295+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'counted', 1, '2024-02-01..2024-02-10', '2024-02-01', '2024-02-10', NULL, 'skipped', 1, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.721127+00', NULL, NULL, NULL, 0, NULL, 'step roll is failed', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'roll', 6, '2024-02-06', '2024-02-06', '2024-02-06', NULL, 'skipped', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.596111+00', NULL, NULL, NULL, 0, NULL, '2024-02-05 of step load is failed', NULL, NULL, NULL, '{"[4,7)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 7, '2024-02-07', '2024-02-07', '2024-02-07', NULL, 'skipped', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.596127+00', NULL, NULL, NULL, 0, NULL, '2024-02-05 of step load is failed', NULL, NULL, NULL, '{"[5,8)"}', NULL, NULL, NULL),
	('days.other', 'load', 1, '2024-01-01', '2024-01-01', '2024-01-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:00.201009+00', '2026-12-01 16:29:00.250464+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.other', 'load', 2, '2024-01-02', '2024-01-02', '2024-01-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.217502+00', '2026-12-01 16:29:00.224419+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.other', 'load', 3, '2024-01-03', '2024-01-03', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:00.251898+00', '2026-12-01 16:29:00.260403+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.other', 'roll', 1, '2024-01-01', '2024-01-01', '2024-01-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:00.475453+00', '2026-12-01 16:29:00.487022+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,2)"}', NULL, NULL, NULL),
	('days.other', 'roll', 2, '2024-01-02', '2024-01-02', '2024-01-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.47546+00', '2026-12-01 16:29:00.483129+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,3)"}', NULL, NULL, NULL),
	('days.other', 'roll', 3, '2024-01-03', '2024-01-03', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.516624+00', '2026-12-01 16:29:00.517309+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,4)"}', NULL, NULL, NULL),
	('days.failed', 'sign', 1, '2024-02-01..2024-02-10', '2024-02-01', '2024-02-10', NULL, 'skipped', 1, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.724397+00', NULL, NULL, NULL, 0, NULL, 'step counted is skipped', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.other', 'total', 1, '2024-01-01..2024-01-03', '2024-01-01', '2024-01-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:03.234268+00', '2026-12-01 16:29:03.261496+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'total', 1, '2024-02-01..2024-02-10', '2024-02-01', '2024-02-10', NULL, 'skipped', 1, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, '2026-12-01 16:29:00.724831+00', NULL, NULL, NULL, 0, NULL, 'step sign is skipped', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.failed', 'roll', 8, '2024-02-08', '2024-02-08', '2024-02-08', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:00.678983+00', '2026-12-01 16:29:00.681485+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[6,9)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 9, '2024-02-09', '2024-02-09', '2024-02-09', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:00.67899+00', '2026-12-01 16:29:00.691129+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[7,10)"}', NULL, NULL, NULL),
	('days.failed', 'roll', 10, '2024-02-10', '2024-02-10', '2024-02-10', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:00.698334+00', '2026-12-01 16:29:00.705502+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[8,11)"}', NULL, NULL, NULL),
	('days.mid', 'load', 2, '2024-03-02', '2024-03-02', '2024-03-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:04.974593+00', '2026-12-01 16:29:04.988952+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 1, '2024-03-01', '2024-03-01', '2024-03-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:04.974524+00', '2026-12-01 16:29:04.998787+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 3, '2024-03-03', '2024-03-03', '2024-03-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:05.03864+00', '2026-12-01 16:29:05.058422+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 4, '2024-03-04', '2024-03-04', '2024-03-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:05.057181+00', '2026-12-01 16:29:05.062+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 13, '2024-03-13', '2024-03-13', '2024-03-13', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 14, '2024-03-14', '2024-03-14', '2024-03-14', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 15, '2024-03-15', '2024-03-15', '2024-03-15', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 16, '2024-03-16', '2024-03-16', '2024-03-16', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 17, '2024-03-17', '2024-03-17', '2024-03-17', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 18, '2024-03-18', '2024-03-18', '2024-03-18', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 19, '2024-03-19', '2024-03-19', '2024-03-19', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 20, '2024-03-20', '2024-03-20', '2024-03-20', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 21, '2024-03-21', '2024-03-21', '2024-03-21', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 22, '2024-03-22', '2024-03-22', '2024-03-22', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 23, '2024-03-23', '2024-03-23', '2024-03-23', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 24, '2024-03-24', '2024-03-24', '2024-03-24', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 25, '2024-03-25', '2024-03-25', '2024-03-25', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 26, '2024-03-26', '2024-03-26', '2024-03-26', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 27, '2024-03-27', '2024-03-27', '2024-03-27', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 28, '2024-03-28', '2024-03-28', '2024-03-28', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 29, '2024-03-29', '2024-03-29', '2024-03-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 30, '2024-03-30', '2024-03-30', '2024-03-30', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 31, '2024-03-31', '2024-03-31', '2024-03-31', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 32, '2024-04-01', '2024-04-01', '2024-04-01', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 33, '2024-04-02', '2024-04-02', '2024-04-02', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 34, '2024-04-03', '2024-04-03', '2024-04-03', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 35, '2024-04-04', '2024-04-04', '2024-04-04', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 36, '2024-04-05', '2024-04-05', '2024-04-05', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 37, '2024-04-06', '2024-04-06', '2024-04-06', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 5, '2024-03-05', '2024-03-05', '2024-03-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:05.107982+00', '2026-12-01 16:29:05.126745+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 6, '2024-03-06', '2024-03-06', '2024-03-06', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:05.127736+00', '2026-12-01 16:29:05.130454+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 7, '2024-03-07', '2024-03-07', '2024-03-07', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:08.256164+00', '2026-12-01 16:29:08.271073+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 8, '2024-03-08', '2024-03-08', '2024-03-08', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:08.256329+00', '2026-12-01 16:29:08.271988+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 9, '2024-03-09', '2024-03-09', '2024-03-09', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:08.28594+00', '2026-12-01 16:29:08.306421+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 10, '2024-03-10', '2024-03-10', '2024-03-10', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:08.308241+00', '2026-12-01 16:29:08.315505+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 11, '2024-03-11', '2024-03-11', '2024-03-11', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:08.319068+00', '2026-12-01 16:29:08.322399+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 12, '2024-03-12', '2024-03-12', '2024-03-12', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:08.323113+00', '2026-12-01 16:29:08.335864+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 38, '2024-04-07', '2024-04-07', '2024-04-07', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 39, '2024-04-08', '2024-04-08', '2024-04-08', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 40, '2024-04-09', '2024-04-09', '2024-04-09', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 41, '2024-04-10', '2024-04-10', '2024-04-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 42, '2024-04-11', '2024-04-11', '2024-04-11', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 43, '2024-04-12', '2024-04-12', '2024-04-12', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 44, '2024-04-13', '2024-04-13', '2024-04-13', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 45, '2024-04-14', '2024-04-14', '2024-04-14', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 46, '2024-04-15', '2024-04-15', '2024-04-15', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 47, '2024-04-16', '2024-04-16', '2024-04-16', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 48, '2024-04-17', '2024-04-17', '2024-04-17', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 49, '2024-04-18', '2024-04-18', '2024-04-18', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 50, '2024-04-19', '2024-04-19', '2024-04-19', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 51, '2024-04-20', '2024-04-20', '2024-04-20', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 52, '2024-04-21', '2024-04-21', '2024-04-21', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 53, '2024-04-22', '2024-04-22', '2024-04-22', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 54, '2024-04-23', '2024-04-23', '2024-04-23', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 55, '2024-04-24', '2024-04-24', '2024-04-24', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 56, '2024-04-25', '2024-04-25', '2024-04-25', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 57, '2024-04-26', '2024-04-26', '2024-04-26', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 58, '2024-04-27', '2024-04-27', '2024-04-27', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 59, '2024-04-28', '2024-04-28', '2024-04-28', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'load', 60, '2024-04-29', '2024-04-29', '2024-04-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'roll', 7, '2024-03-07', '2024-03-07', '2024-03-07', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:08.336762+00', '2026-12-01 16:29:09.347231+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[5,8)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 1, '2024-03-01', '2024-03-01', '2024-03-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:05.148199+00', '2026-12-01 16:29:06.155554+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,2)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 2, '2024-03-02', '2024-03-02', '2024-03-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:05.15455+00', '2026-12-01 16:29:06.158712+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,3)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 5, '2024-03-05', '2024-03-05', '2024-03-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:07.212238+00', '2026-12-01 16:29:08.222435+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[3,6)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 3, '2024-03-03', '2024-03-03', '2024-03-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:06.190655+00', '2026-12-01 16:29:07.210512+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,4)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 4, '2024-03-04', '2024-03-04', '2024-03-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:06.190729+00', '2026-12-01 16:29:07.196753+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[2,5)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 6, '2024-03-06', '2024-03-06', '2024-03-06', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:07.221149+00', '2026-12-01 16:29:08.229229+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[4,7)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 13, '2024-03-13', '2024-03-13', '2024-03-13', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[11,14)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 14, '2024-03-14', '2024-03-14', '2024-03-14', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[12,15)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 15, '2024-03-15', '2024-03-15', '2024-03-15', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[13,16)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 16, '2024-03-16', '2024-03-16', '2024-03-16', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[14,17)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 17, '2024-03-17', '2024-03-17', '2024-03-17', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[15,18)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 18, '2024-03-18', '2024-03-18', '2024-03-18', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[16,19)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 19, '2024-03-19', '2024-03-19', '2024-03-19', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[17,20)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 20, '2024-03-20', '2024-03-20', '2024-03-20', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[18,21)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 21, '2024-03-21', '2024-03-21', '2024-03-21', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[19,22)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 22, '2024-03-22', '2024-03-22', '2024-03-22', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[20,23)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 23, '2024-03-23', '2024-03-23', '2024-03-23', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[21,24)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 24, '2024-03-24', '2024-03-24', '2024-03-24', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[22,25)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 25, '2024-03-25', '2024-03-25', '2024-03-25', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[23,26)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 26, '2024-03-26', '2024-03-26', '2024-03-26', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[24,27)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 27, '2024-03-27', '2024-03-27', '2024-03-27', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[25,28)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 28, '2024-03-28', '2024-03-28', '2024-03-28', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[26,29)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 29, '2024-03-29', '2024-03-29', '2024-03-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[27,30)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 30, '2024-03-30', '2024-03-30', '2024-03-30', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[28,31)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 12, '2024-03-12', '2024-03-12', '2024-03-12', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:10.522352+00', '2026-12-01 16:29:11.543792+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[10,13)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 11, '2024-03-11', '2024-03-11', '2024-03-11', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:10.522228+00', '2026-12-01 16:29:11.542619+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[9,12)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 8, '2024-03-08', '2024-03-08', '2024-03-08', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:08.37653+00', '2026-12-01 16:29:09.388459+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[6,9)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 9, '2024-03-09', '2024-03-09', '2024-03-09', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20435, '2026-12-01 16:28:59.89999+00', '2026-12-01 16:29:09.416591+00', '2026-12-01 16:29:10.463322+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[7,10)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 10, '2024-03-10', '2024-03-10', '2024-03-10', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20437, '2026-12-01 16:28:59.934928+00', '2026-12-01 16:29:09.461149+00', '2026-12-01 16:29:10.478559+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[8,11)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 31, '2024-03-31', '2024-03-31', '2024-03-31', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[29,32)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 32, '2024-04-01', '2024-04-01', '2024-04-01', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[30,33)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 33, '2024-04-02', '2024-04-02', '2024-04-02', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[31,34)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 34, '2024-04-03', '2024-04-03', '2024-04-03', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[32,35)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 35, '2024-04-04', '2024-04-04', '2024-04-04', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[33,36)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 36, '2024-04-05', '2024-04-05', '2024-04-05', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[34,37)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 37, '2024-04-06', '2024-04-06', '2024-04-06', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[35,38)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 38, '2024-04-07', '2024-04-07', '2024-04-07', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[36,39)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 39, '2024-04-08', '2024-04-08', '2024-04-08', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[37,40)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 40, '2024-04-09', '2024-04-09', '2024-04-09', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[38,41)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 41, '2024-04-10', '2024-04-10', '2024-04-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[39,42)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 42, '2024-04-11', '2024-04-11', '2024-04-11', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[40,43)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 43, '2024-04-12', '2024-04-12', '2024-04-12', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[41,44)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 44, '2024-04-13', '2024-04-13', '2024-04-13', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[42,45)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 45, '2024-04-14', '2024-04-14', '2024-04-14', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[43,46)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 46, '2024-04-15', '2024-04-15', '2024-04-15', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[44,47)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 47, '2024-04-16', '2024-04-16', '2024-04-16', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[45,48)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 48, '2024-04-17', '2024-04-17', '2024-04-17', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[46,49)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 49, '2024-04-18', '2024-04-18', '2024-04-18', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[47,50)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 50, '2024-04-19', '2024-04-19', '2024-04-19', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[48,51)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 51, '2024-04-20', '2024-04-20', '2024-04-20', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[49,52)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 52, '2024-04-21', '2024-04-21', '2024-04-21', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[50,53)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 53, '2024-04-22', '2024-04-22', '2024-04-22', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[51,54)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 54, '2024-04-23', '2024-04-23', '2024-04-23', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[52,55)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 55, '2024-04-24', '2024-04-24', '2024-04-24', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[53,56)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 56, '2024-04-25', '2024-04-25', '2024-04-25', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[54,57)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 57, '2024-04-26', '2024-04-26', '2024-04-26', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[55,58)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 58, '2024-04-27', '2024-04-27', '2024-04-27', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[56,59)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 59, '2024-04-28', '2024-04-28', '2024-04-28', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[57,60)"}', NULL, NULL, NULL),
	('days.mid', 'roll', 60, '2024-04-29', '2024-04-29', '2024-04-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[58,61)"}', NULL, NULL, NULL),
	('days.mid', 'counted', 1, '2024-03-01..2024-04-29', '2024-03-01', '2024-04-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'sign', 1, '2024-03-01..2024-04-29', '2024-03-01', '2024-04-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.mid', 'total', 1, '2024-03-01..2024-04-29', '2024-03-01', '2024-04-29', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 13, 'k13', NULL, NULL, 'k13', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 14, 'k14', NULL, NULL, 'k14', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 15, 'k15', NULL, NULL, 'k15', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 16, 'k16', NULL, NULL, 'k16', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 17, 'k17', NULL, NULL, 'k17', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 18, 'k18', NULL, NULL, 'k18', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 19, 'k19', NULL, NULL, 'k19', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 20, 'k20', NULL, NULL, 'k20', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 21, 'k21', NULL, NULL, 'k21', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 12, 'k12', NULL, NULL, 'k12', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:11.058932+00', '2026-12-01 16:29:12.068874+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 11, 'k11', NULL, NULL, 'k11', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:11.058825+00', '2026-12-01 16:29:12.069337+00', NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 9, 'k09', NULL, NULL, 'k09', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:09.986121+00', '2026-12-01 16:29:10.992089+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 10, 'k10', NULL, NULL, 'k10', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:10.009054+00', '2026-12-01 16:29:11.013314+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 1, 'k01', NULL, NULL, 'k01', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:05.894661+00', '2026-12-01 16:29:06.914847+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 2, 'k02', NULL, NULL, 'k02', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:05.894822+00', '2026-12-01 16:29:06.915652+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 3, 'k03', NULL, NULL, 'k03', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:06.949068+00', '2026-12-01 16:29:07.954874+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 4, 'k04', NULL, NULL, 'k04', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:06.949156+00', '2026-12-01 16:29:07.96011+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 5, 'k05', NULL, NULL, 'k05', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:07.957997+00', '2026-12-01 16:29:08.960792+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 6, 'k06', NULL, NULL, 'k06', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:07.963631+00', '2026-12-01 16:29:08.969266+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 7, 'k07', NULL, NULL, 'k07', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20438, '2026-12-01 16:28:59.919603+00', '2026-12-01 16:29:08.966216+00', '2026-12-01 16:29:09.970969+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 8, 'k08', NULL, NULL, 'k08', 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20439, '2026-12-01 16:28:59.952738+00', '2026-12-01 16:29:08.982466+00', '2026-12-01 16:29:09.98841+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 22, 'k22', NULL, NULL, 'k22', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 23, 'k23', NULL, NULL, 'k23', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 24, 'k24', NULL, NULL, 'k24', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 25, 'k25', NULL, NULL, 'k25', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 26, 'k26', NULL, NULL, 'k26', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 27, 'k27', NULL, NULL, 'k27', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 28, 'k28', NULL, NULL, 'k28', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 29, 'k29', NULL, NULL, 'k29', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 30, 'k30', NULL, NULL, 'k30', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 31, 'k31', NULL, NULL, 'k31', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 32, 'k32', NULL, NULL, 'k32', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO bf.job VALUES
	('keys.mid', 'send', 33, 'k33', NULL, NULL, 'k33', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 34, 'k34', NULL, NULL, 'k34', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 35, 'k35', NULL, NULL, 'k35', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 36, 'k36', NULL, NULL, 'k36', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 37, 'k37', NULL, NULL, 'k37', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 38, 'k38', NULL, NULL, 'k38', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 39, 'k39', NULL, NULL, 'k39', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 40, 'k40', NULL, NULL, 'k40', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 41, 'k41', NULL, NULL, 'k41', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 42, 'k42', NULL, NULL, 'k42', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 43, 'k43', NULL, NULL, 'k43', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 44, 'k44', NULL, NULL, 'k44', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 45, 'k45', NULL, NULL, 'k45', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 46, 'k46', NULL, NULL, 'k46', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 47, 'k47', NULL, NULL, 'k47', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 48, 'k48', NULL, NULL, 'k48', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 49, 'k49', NULL, NULL, 'k49', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 50, 'k50', NULL, NULL, 'k50', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 51, 'k51', NULL, NULL, 'k51', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 52, 'k52', NULL, NULL, 'k52', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 53, 'k53', NULL, NULL, 'k53', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 54, 'k54', NULL, NULL, 'k54', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 55, 'k55', NULL, NULL, 'k55', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 56, 'k56', NULL, NULL, 'k56', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 57, 'k57', NULL, NULL, 'k57', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 58, 'k58', NULL, NULL, 'k58', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 59, 'k59', NULL, NULL, 'k59', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('keys.mid', 'send', 60, 'k60', NULL, NULL, 'k60', 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'roll', 7, '2024-06-07', '2024-06-07', '2024-06-07', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[5,8)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 8, '2024-06-08', '2024-06-08', '2024-06-08', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[6,9)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 9, '2024-06-09', '2024-06-09', '2024-06-09', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[7,10)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 10, '2024-06-10', '2024-06-10', '2024-06-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[8,11)"}', NULL, NULL, NULL),
	('days.stopped', 'counted', 1, '2024-06-01..2024-06-10', '2024-06-01', '2024-06-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'sign', 1, '2024-06-01..2024-06-10', '2024-06-01', '2024-06-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'total', 1, '2024-06-01..2024-06-10', '2024-06-01', '2024-06-10', NULL, 'pending', 0, 0, 0, 0, false, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 1, '2024-06-01', '2024-06-01', '2024-06-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.521101+00', '2026-12-01 16:29:06.537327+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 2, '2024-06-02', '2024-06-02', '2024-06-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.52123+00', '2026-12-01 16:29:06.53888+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'roll', 5, '2024-06-05', '2024-06-05', '2024-06-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:08.720653+00', '2026-12-01 16:29:09.730886+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[3,6)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 6, '2024-06-06', '2024-06-06', '2024-06-06', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:08.730235+00', '2026-12-01 16:29:09.736144+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[4,7)"}', NULL, NULL, NULL),
	('days.stopped', 'load', 3, '2024-06-03', '2024-06-03', '2024-06-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.585437+00', '2026-12-01 16:29:06.586404+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 4, '2024-06-04', '2024-06-04', '2024-06-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.585475+00', '2026-12-01 16:29:06.586889+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 5, '2024-06-05', '2024-06-05', '2024-06-05', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.6007+00', '2026-12-01 16:29:06.60308+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 6, '2024-06-06', '2024-06-06', '2024-06-06', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.600739+00', '2026-12-01 16:29:06.604853+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 7, '2024-06-07', '2024-06-07', '2024-06-07', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.622215+00', '2026-12-01 16:29:06.629654+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 8, '2024-06-08', '2024-06-08', '2024-06-08', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.622253+00', '2026-12-01 16:29:06.628768+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 9, '2024-06-09', '2024-06-09', '2024-06-09', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.641501+00', '2026-12-01 16:29:06.643035+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'load', 10, '2024-06-10', '2024-06-10', '2024-06-10', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.64441+00', '2026-12-01 16:29:06.654466+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('days.stopped', 'roll', 2, '2024-06-02', '2024-06-02', '2024-06-02', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:06.660629+00', '2026-12-01 16:29:07.674883+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,3)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 1, '2024-06-01', '2024-06-01', '2024-06-01', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:06.660599+00', '2026-12-01 16:29:07.67667+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,2)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 3, '2024-06-03', '2024-06-03', '2024-06-03', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20441, '2026-12-01 16:28:59.99877+00', '2026-12-01 16:29:07.698499+00', '2026-12-01 16:29:08.707684+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[1,4)"}', NULL, NULL, NULL),
	('days.stopped', 'roll', 4, '2024-06-04', '2024-06-04', '2024-06-04', NULL, 'done', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', 20442, '2026-12-01 16:29:00.034608+00', '2026-12-01 16:29:07.706216+00', '2026-12-01 16:29:08.712051+00', 1, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL, '{"[2,5)"}', NULL, NULL, NULL),
	('walk.mid', 'walk', 1, '2024-01-01..2024-01-10', '2024-01-01', '2024-01-10', NULL, 'running', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', NULL, NULL, '2026-12-01 16:29:09.259628+00', NULL, NULL, NULL, NULL, 1, '7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
	('walk.mid', 'walk', 2, '2024-01-11..2024-01-20', '2024-01-11', '2024-01-20', NULL, 'running', 1, 0, 0, 0, false, NULL, 'host-20407-62aw2d', NULL, NULL, '2026-12-01 16:29:09.259684+00', NULL, NULL, NULL, NULL, 1, '7', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

INSERT INTO bf.meta VALUES
	(true, 2);

INSERT INTO bf.migration VALUES
	(1, '0001_ledger', '0.1.0', '2026-12-01 16:28:55.522679+00'),
	(2, '0002_whole_pipelines', '0.1.0', '2026-12-01 16:28:55.876764+00'),
	(3, '0003_hold_split_undo', '0.1.0', '2026-12-01 16:28:55.926045+00'),
	(4, '0004_cancel_in_parts', '0.1.0', '2026-12-01 16:28:56.019803+00');

INSERT INTO bf.pipeline VALUES
	('51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', 'days', '{"chunk": {"size": 1}, "files": {"sql/load.sql": "select 1 / (select (count(*) = 0)::int from bad where day between :''since'' and :''until'');\ninsert into effect select :''run'', ''load'', d::date::text from generate_series(:''since''::date, :''until''::date, ''1 day'') d;\n", "sql/roll.sql": "insert into effect values (:''run'', ''roll'', :''chunk'');\nselect pg_sleep((select seconds from pace));\n", "sql/total.sql": "insert into effect values (:''run'', ''total'', '''');\n"}, "steps": [{"file": "sql/load.sql", "kind": "sql", "name": "load"}, {"file": "sql/roll.sql", "kind": "sql", "name": "roll", "lookback": {"days": 2}, "wait_for": "chunk"}, {"of": "load", "kind": "check", "name": "counted", "type": "coverage", "error_if": "< 1"}, {"kind": "approval", "name": "sign", "review": "Is it right?"}, {"per": "run", "file": "sql/total.sql", "kind": "sql", "name": "total", "needs": ["sign"]}], "params": {"tenant": {"default": "a", "identity": true}}, "defaults": {"retry": {"attempts": 1}}, "pipeline": "days", "concurrency": {"max": 8, "default": 2}}', '2026-12-01 16:28:57.074564+00'),
	('33b824702a5daefaf4fb639daeb306abd80e76eacedfc005a244536ea81f9f81', 'keys', '{"chunk": {"keys": {"sql": "sql/keys.sql"}}, "files": {"sql/keys.sql": "select ''k'' || lpad(n::text, 2, ''0'') from generate_series(1, 60) n order by 1;\n", "sql/send.sql": "insert into effect values (:''run'', ''send'', :''key'');\nselect pg_sleep((select seconds from pace));\n"}, "steps": [{"file": "sql/send.sql", "kind": "sql", "name": "send"}], "pipeline": "keys", "concurrency": {"default": 2}}', '2026-12-01 16:29:05.557825+00'),
	('6f7a32c8d614323686fd6d162d9b5e6eba352ce5742376dadb07d03a975fbabb', 'walk', '{"chunk": {"size": 10}, "files": {}, "steps": [{"argv": ["bin/walk"], "kind": "exec", "name": "walk"}], "pipeline": "walk"}', '2026-12-01 16:29:08.998636+00');

INSERT INTO bf.run VALUES
	('days.failed', 'days', '51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', '/srv/pipelines/days', 'default', '2024-02-01', '2024-02-10', '{"tenant": "a"}', '{"tenant": "a"}', '{}', 2, 0, 'failed', 2, 'operator@host', NULL, '2026-12-01 16:28:58.234864+00', '2026-12-01 16:29:00.725177+00', NULL, NULL, NULL, NULL, NULL, false),
	('days.done', 'days', '51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', '/srv/pipelines/days', 'default', '2024-01-01', '2024-01-05', '{"tenant": "a"}', '{"tenant": "a"}', '{}', 2, 0, 'done', 5, 'operator@host', NULL, '2026-12-01 16:28:57.074564+00', '2026-12-01 16:29:02.867508+00', NULL, NULL, NULL, NULL, NULL, false),
	('days.other', 'days', '51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', '/srv/pipelines/days', 'default', '2024-01-01', '2024-01-03', '{"tenant": "b"}', '{"tenant": "b"}', '{}', 2, 0, 'done', 5, 'operator@host', NULL, '2026-12-01 16:28:58.977514+00', '2026-12-01 16:29:03.300484+00', NULL, NULL, NULL, NULL, NULL, false),
	('days.mid', 'days', '51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', '/srv/pipelines/days', 'default', '2024-03-01', '2024-04-29', '{"tenant": "a"}', '{"tenant": "a"}', '{}', 2, 0, 'running', 1, 'operator@host', NULL, '2026-12-01 16:29:04.818037+00', NULL, NULL, NULL, NULL, NULL, NULL, false),
	('keys.mid', 'keys', '33b824702a5daefaf4fb639daeb306abd80e76eacedfc005a244536ea81f9f81', '/srv/pipelines/keys', 'default', NULL, NULL, '{}', '{}', '{}', 2, 0, 'running', 1, 'operator@host', NULL, '2026-12-01 16:29:05.557825+00', NULL, NULL, NULL, NULL, NULL, NULL, false),
	('walk.mid', 'walk', '6f7a32c8d614323686fd6d162d9b5e6eba352ce5742376dadb07d03a975fbabb', '/srv/pipelines/walk', 'default', '2024-01-01', '2024-01-20', '{}', '{}', '{}', 3, 0, 'running', 1, 'operator@host', NULL, '2026-12-01 16:29:08.998636+00', NULL, NULL, NULL, NULL, NULL, NULL, false),
	('days.stopped', 'days', '51563207bcc377b777000e031b86459f926dcc206c836a16502826cde2a3bf52', '/srv/pipelines/days', 'default', '2024-06-01', '2024-06-10', '{"tenant": "a"}', '{"tenant": "a"}', '{}', 2, 0, 'stopped', 3, 'operator@host', NULL, '2026-12-01 16:29:06.304958+00', NULL, NULL, NULL, NULL, NULL, NULL, false);

INSERT INTO bf.step VALUES
	('days.done', 'roll', 1, 'sql', 'done', 5, '{load}', 'halt', 0, false, false, false, 1, 6, '2026-12-01 16:28:57.380826+00', '2026-12-01 16:29:00.89546+00', NULL, NULL, NULL, NULL, NULL, false, '{load}', 5, 2),
	('days.done', 'total', 4, 'sql', 'done', 1, '{sign}', 'halt', 0, false, true, false, 1, 2, '2026-12-01 16:29:02.672808+00', '2026-12-01 16:29:02.86711+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.done', 'load', 0, 'sql', 'done', 5, '{}', 'halt', 0, false, false, false, 1, 6, '2026-12-01 16:28:57.380198+00', '2026-12-01 16:29:00.657916+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.other', 'sign', 3, 'approval', 'done', 1, '{counted}', 'halt', 0, false, true, false, 1, 2, NULL, '2026-12-01 16:29:03.144672+00', NULL, NULL, 'Is it right?', NULL, NULL, false, '{}', NULL, 0),
	('days.failed', 'roll', 1, 'sql', 'failed', 10, '{load}', 'halt', 0, false, false, true, 1, 11, '2026-12-01 16:28:58.426849+00', '2026-12-01 16:29:00.720599+00', NULL, NULL, NULL, NULL, NULL, false, '{load}', 10, 2),
	('days.other', 'load', 0, 'sql', 'done', 3, '{}', 'halt', 0, false, false, false, 1, 4, '2026-12-01 16:28:59.091988+00', '2026-12-01 16:29:00.320269+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.done', 'counted', 2, 'check', 'done', 1, '{roll}', 'halt', 0, false, true, false, 1, 2, '2026-12-01 16:29:00.895806+00', '2026-12-01 16:29:01.058854+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.failed', 'load', 0, 'sql', 'failed', 10, '{}', 'halt', 0, false, false, false, 1, 11, '2026-12-01 16:28:58.425896+00', '2026-12-01 16:29:00.592904+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.other', 'roll', 1, 'sql', 'done', 3, '{load}', 'halt', 0, false, false, false, 1, 4, '2026-12-01 16:28:59.092997+00', '2026-12-01 16:29:00.616242+00', NULL, NULL, NULL, NULL, NULL, false, '{load}', 3, 2),
	('days.failed', 'counted', 2, 'check', 'skipped', 1, '{roll}', 'halt', 0, false, true, false, 1, 2, NULL, '2026-12-01 16:29:00.721183+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.failed', 'sign', 3, 'approval', 'skipped', 1, '{counted}', 'halt', 0, false, true, false, 1, 2, NULL, '2026-12-01 16:29:00.724476+00', NULL, NULL, 'Is it right?', NULL, NULL, false, '{}', NULL, 0),
	('days.failed', 'total', 4, 'sql', 'skipped', 1, '{sign}', 'halt', 0, false, true, false, 1, 2, NULL, '2026-12-01 16:29:00.724865+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.other', 'counted', 2, 'check', 'done', 1, '{roll}', 'halt', 0, false, true, false, 1, 2, '2026-12-01 16:29:00.616521+00', '2026-12-01 16:29:00.784032+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.mid', 'load', 0, 'sql', 'released', 60, '{}', 'halt', 0, false, false, false, 1, 13, '2026-12-01 16:29:04.947434+00', NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.done', 'sign', 3, 'approval', 'done', 1, '{counted}', 'halt', 0, false, true, false, 1, 2, NULL, '2026-12-01 16:29:02.671424+00', NULL, NULL, 'Is it right?', NULL, NULL, false, '{}', NULL, 0),
	('days.other', 'total', 4, 'sql', 'done', 1, '{sign}', 'halt', 0, false, true, false, 1, 2, '2026-12-01 16:29:03.151433+00', '2026-12-01 16:29:03.300243+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.mid', 'counted', 2, 'check', 'waiting', 1, '{roll}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.mid', 'sign', 3, 'approval', 'waiting', 1, '{counted}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, 'Is it right?', NULL, NULL, false, '{}', NULL, 0),
	('days.mid', 'total', 4, 'sql', 'waiting', 1, '{sign}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.stopped', 'counted', 2, 'check', 'waiting', 1, '{roll}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.stopped', 'sign', 3, 'approval', 'waiting', 1, '{counted}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, 'Is it right?', NULL, NULL, false, '{}', NULL, 0),
	('days.stopped', 'total', 4, 'sql', 'waiting', 1, '{sign}', 'halt', 0, false, true, false, 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('walk.mid', 'walk', 0, 'exec', 'released', 2, '{}', 'halt', 0, false, false, false, 1, 1, '2026-12-01 16:29:09.196929+00', NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.stopped', 'roll', 1, 'sql', 'released', 10, '{load}', 'halt', 0, false, false, false, 1, 7, '2026-12-01 16:29:06.465394+00', NULL, NULL, NULL, NULL, NULL, NULL, false, '{load}', 10, 2),
	('days.stopped', 'load', 0, 'sql', 'done', 10, '{}', 'halt', 0, false, false, false, 1, 11, '2026-12-01 16:29:06.464487+00', '2026-12-01 16:29:06.695149+00', NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('keys.mid', 'send', 0, 'sql', 'released', 60, '{}', 'halt', 0, false, false, false, 1, 9, '2026-12-01 16:29:05.774258+00', NULL, NULL, NULL, NULL, NULL, NULL, false, '{}', NULL, 0),
	('days.mid', 'roll', 1, 'sql', 'released', 60, '{load}', 'halt', 0, false, false, false, 1, 11, '2026-12-01 16:29:04.948449+00', NULL, NULL, NULL, NULL, NULL, NULL, false, '{load}', 12, 2);

INSERT INTO public.bad VALUES
	('2024-02-05');

INSERT INTO public.effect VALUES
	('days.done', 'load', '2024-01-01'),
	('days.done', 'load', '2024-01-02'),
	('days.failed', 'load', '2024-02-02'),
	('days.failed', 'load', '2024-02-01'),
	('days.other', 'load', '2024-01-01'),
	('days.other', 'load', '2024-01-02'),
	('days.done', 'load', '2024-01-04'),
	('days.failed', 'load', '2024-02-03'),
	('days.other', 'load', '2024-01-03'),
	('days.failed', 'load', '2024-02-04'),
	('days.done', 'load', '2024-01-03'),
	('days.done', 'load', '2024-01-05'),
	('days.failed', 'load', '2024-02-06'),
	('days.failed', 'load', '2024-02-07'),
	('days.failed', 'load', '2024-02-08'),
	('days.other', 'roll', '2024-01-02'),
	('days.other', 'roll', '2024-01-01'),
	('days.failed', 'load', '2024-02-09'),
	('days.failed', 'load', '2024-02-10'),
	('days.other', 'roll', '2024-01-03'),
	('days.failed', 'roll', '2024-02-02'),
	('days.failed', 'roll', '2024-02-01'),
	('days.failed', 'roll', '2024-02-03'),
	('days.failed', 'roll', '2024-02-04'),
	('days.done', 'roll', '2024-01-01'),
	('days.failed', 'roll', '2024-02-08'),
	('days.done', 'roll', '2024-01-02'),
	('days.failed', 'roll', '2024-02-09'),
	('days.done', 'roll', '2024-01-03'),
	('days.done', 'roll', '2024-01-04'),
	('days.failed', 'roll', '2024-02-10'),
	('days.done', 'roll', '2024-01-05'),
	('days.done', 'total', ''),
	('days.other', 'total', ''),
	('days.mid', 'load', '2024-03-02'),
	('days.mid', 'load', '2024-03-01'),
	('days.mid', 'load', '2024-03-03'),
	('days.mid', 'load', '2024-03-04'),
	('days.mid', 'load', '2024-03-05'),
	('days.mid', 'load', '2024-03-06'),
	('days.mid', 'roll', '2024-03-01'),
	('days.mid', 'roll', '2024-03-02'),
	('keys.mid', 'send', 'k01'),
	('keys.mid', 'send', 'k02'),
	('days.mid', 'roll', '2024-03-04'),
	('days.mid', 'roll', '2024-03-03'),
	('days.stopped', 'load', '2024-06-01'),
	('days.stopped', 'load', '2024-06-02'),
	('days.stopped', 'load', '2024-06-03'),
	('days.stopped', 'load', '2024-06-04'),
	('days.stopped', 'load', '2024-06-05'),
	('days.stopped', 'load', '2024-06-06'),
	('days.stopped', 'load', '2024-06-08'),
	('days.stopped', 'load', '2024-06-07'),
	('days.stopped', 'load', '2024-06-09'),
	('days.stopped', 'load', '2024-06-10'),
	('days.stopped', 'roll', '2024-06-01'),
	('days.stopped', 'roll', '2024-06-02'),
	('keys.mid', 'send', 'k03'),
	('keys.mid', 'send', 'k04'),
	('days.mid', 'roll', '2024-03-05'),
	('days.mid', 'roll', '2024-03-06'),
	('days.stopped', 'roll', '2024-06-03'),
	('days.stopped', 'roll', '2024-06-04'),
	('keys.mid', 'send', 'k05'),
	('keys.mid', 'send', 'k06'),
	('days.mid', 'load', '2024-03-07'),
	('days.mid', 'load', '2024-03-08'),
	('days.mid', 'load', '2024-03-09'),
	('days.mid', 'load', '2024-03-10'),
	('days.mid', 'load', '2024-03-11'),
	('days.mid', 'load', '2024-03-12'),
	('days.mid', 'roll', '2024-03-07'),
	('days.mid', 'roll', '2024-03-08'),
	('days.stopped', 'roll', '2024-06-05'),
	('days.stopped', 'roll', '2024-06-06'),
	('keys.mid', 'send', 'k07'),
	('keys.mid', 'send', 'k08'),
	('days.mid', 'roll', '2024-03-09'),
	('days.mid', 'roll', '2024-03-10'),
	('keys.mid', 'send', 'k09'),
	('keys.mid', 'send', 'k10'),
	('days.mid', 'roll', '2024-03-11'),
	('days.mid', 'roll', '2024-03-12'),
	('keys.mid', 'send', 'k11'),
	('keys.mid', 'send', 'k12');

INSERT INTO public.pace VALUES
	(0);

SELECT pg_catalog.setval('bf.check_result_id_seq', 2, true);

SELECT pg_catalog.setval('bf.event_id_seq', 50, true);

ALTER TABLE ONLY bf.attempt
    ADD CONSTRAINT attempt_pkey PRIMARY KEY (run, step, seq, epoch);

ALTER TABLE ONLY bf.check_result
    ADD CONSTRAINT check_result_pkey PRIMARY KEY (id);

ALTER TABLE ONLY bf.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY bf.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (run, step, seq);

ALTER TABLE ONLY bf.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (one);

ALTER TABLE ONLY bf.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY bf.pipeline
    ADD CONSTRAINT pipeline_pkey PRIMARY KEY (sha256);

ALTER TABLE ONLY bf.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run);

ALTER TABLE ONLY bf.split_wanted
    ADD CONSTRAINT split_wanted_pkey PRIMARY KEY (run, step, seq);

ALTER TABLE ONLY bf.step
    ADD CONSTRAINT step_pkey PRIMARY KEY (run, step);

CREATE INDEX check_result_run ON bf.check_result USING btree (run, step);

CREATE INDEX event_run ON bf.event USING btree (run, id);

CREATE INDEX run_pipeline ON bf.run USING btree (pipeline);

CREATE OR REPLACE VIEW bf.progress AS
 SELECT s.run,
    r.pipeline,
    s.step,
    s.ordinal,
    s.kind,
    s.state,
    s.planned,
    count(j.seq) FILTER (WHERE (j.state = 'pending'::text)) AS pending,
    count(j.seq) FILTER (WHERE (j.state = 'running'::text)) AS running,
    count(j.seq) FILTER (WHERE (j.state = 'done'::text)) AS done,
    count(j.seq) FILTER (WHERE (j.state = 'failed'::text)) AS failed,
    count(j.seq) FILTER (WHERE (j.state = 'skipped'::text)) AS skipped,
    count(j.seq) FILTER (WHERE (j.state = 'cancelled'::text)) AS cancelled,
    count(j.seq) FILTER (WHERE (j.state = 'undone'::text)) AS undone,
    min(j.started_at) AS started_at,
    s.finished_at
   FROM ((bf.step s
     JOIN bf.run r USING (run))
     LEFT JOIN bf.job j USING (run, step))
  GROUP BY s.run, s.step, r.run;

ALTER TABLE ONLY bf.run
    ADD CONSTRAINT run_sha256_fkey FOREIGN KEY (sha256) REFERENCES bf.pipeline(sha256);

ALTER TABLE ONLY bf.step
    ADD CONSTRAINT step_run_fkey FOREIGN KEY (run) REFERENCES bf.run(run);

