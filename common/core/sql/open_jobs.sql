-- Open (PROTOCOL L2): takes jobs that Redis has handed out, one row for every input, in the order given.
--   $1 runs, $2 steps, $3 seqs: the jobs, each once, sorted;  $4 the worker;
--   $5, $6 the backend that will run each job's SQL (pid and start), or nulls;  $7 whether the worker runs it alone.
-- verdict: opened | settled | locked | early | held (by the pipeline's throttle) | closed (step not released, run stopping) | cancelled | unknown |
--   suspect (its worker was gone twice while it was open: it has to run alone) | waiting (for chunks before it, that were opened again)
-- A job that took down three workers while it ran alone is failed here, and comes back as settled (PROTOCOL L12).
-- Where all jobs run on a backend of this server, the commit of this statement need not reach the disk: a crash that loses it ends their
-- backends too, and what their own commits write reaches the disk together with it.
-- Every row is looked up once by its key and locked without waiting, so that two workers never wait for each other here. It is then changed
-- where it was found (ctid). A row that someone else has changed since this statement began is locked as it is now, but an update finds only
-- what it was: such a job is not opened, and asked for again at once.
with durability as materialized (
    select set_config('synchronous_commit', case when array_position($5::int[], null) is null then 'off' else 'on' end, true) as set
), gates as materialized ( -- in order, as row locks are not: whoever decides about a run would wait for ever while others keep opening its jobs
    select pg_advisory_xact_lock_shared(hashtext('bf.run'), hashtext(run)) from (select distinct run from unnest($1::text[]) as run order by run) g
), runs as materialized (
    select r.run, r.state, r.held_until > clock_timestamp() as held, r.throttle_ms,
           r.version is distinct from (select s.version from bf.run s where s.run = r.run) as decided -- since this statement began; it waited
      from bf.run r where r.run = any ($1::text[]) and (select count(*) from gates) > 0 order by r.run for share
), asked as materialized ( -- joined here, so that a run is locked before its jobs, as by those who decide about it
    select a.ord, a.run, a.step, a.seq, a.pid, a.start, a.alone, r.state as run_state, r.held, r.throttle_ms, r.decided
      from unnest($1::text[], $2::text[], $3::int[], $5::int[], $6::timestamptz[], $7::boolean[]) with ordinality
           as a (run, step, seq, pid, start, alone, ord)
      left join runs r on r.run = a.run
), found as materialized (
    select a.*, j.ctid as place, j.state, j.epoch, j.attempts, j.not_before, j.worker as held_by, j.backend_pid as old_pid, j.backend_start as old_start,
           j.checkpoint, j.since, j.until, j.key, j.lookback_key, j.redone, j.over_hole, j.chunk, j.started_at, j.waits as put_off, j.waits_since,
           j.crashes + (j.state = 'running' and j.worker is distinct from $4::text and not j.alone)::int as crashes,
           j.deaths + (j.state = 'running' and j.worker is distinct from $4::text and j.alone)::int as deaths,
           s.state = 'released' and not s.halted as step_open, a.held and s.kind <> 'soak' as step_held,
           case when a.seq > s.upto then exists ( -- by a retry since; it is not due only if what it waits for itself is not settled
               select from unnest(s.by_chunk, j.after) as w (need, seqs)
                cross join lateral (select from bf.job n where n.run = a.run and n.step = w.need and n.seq >= lower(w.seqs) and n.seq < upper(w.seqs)
                                       and n.state in ('pending', 'running') limit 1) n) else false end as waits
      from asked a
      left join lateral (select s.state, s.halted, s.kind, s.upto, s.by_chunk from bf.step s where s.run = a.run and s.step = a.step) s on true
      left join lateral (select j.ctid, * from bf.job j where j.run = a.run and j.step = a.step and j.seq = a.seq
                            for no key update skip locked) j on true
), judged as materialized (
    select f.*, case
        when f.state is null then 'locked'
        when f.state in ('cancelled') or f.run_state = 'cancelled' then 'cancelled'
        when f.state not in ('pending', 'running') then 'settled'
        when f.run_state not in ('queued', 'running') then 'closed'
        when f.decided then 'early' -- while it waited for the run: of the steps and of other jobs it knows what was
        when not f.step_open then 'closed'
        when f.not_before > clock_timestamp() and (f.started_at > clock_timestamp()) is not true then 'early' -- if it is, the clock went back
        when f.step_held then 'held'
        when f.waits then 'waiting'
        when f.deaths >= 3 then 'poisoned'
        when f.crashes >= 2 and not f.alone then 'suspect'
        else 'opened' end as verdict
      from found f
), opened as (
    update bf.job j
       set state = 'running', epoch = o.epoch + 1, worker = $4::text, backend_pid = o.pid, backend_start = o.start,
           started_at = clock_timestamp(), not_before = null, progress_number = 0,
           crashes = o.crashes, deaths = o.deaths, alone = o.alone, over_hole = case when o.state = 'running' then j.over_hole end, -- taken over it is the same try
           checkpoint = case when o.state = 'running' or j.over_hole is not true then j.checkpoint end
      from judged o
     where o.verdict = 'opened' and j.ctid = o.place
    returning o.ord
), left_behind as ( -- nobody runs it any more, and its run or step is not to go on: it waits, and its old attempt is fenced off
    update bf.job j
       set state = 'pending', epoch = o.epoch + 1, crashes = o.crashes, deaths = o.deaths
      from judged o
     where o.verdict = 'closed' and o.state = 'running' and j.run = o.run and j.step = o.step and j.seq = o.seq
), poisoned as (
    update bf.job j
       set state = 'failed', epoch = o.epoch + 1, deaths = o.deaths, finished_at = clock_timestamp(), error_category = 'crash',
           error = 'its worker was gone three times while it ran alone'
      from judged o
     where o.verdict = 'poisoned' and j.run = o.run and j.step = o.step and j.seq = o.seq
    returning j.run, j.step, j.seq, o.epoch, o.held_by, o.started_at, j.error
), tried as (
    insert into bf.attempt (run, step, seq, epoch, worker, started_at, category, error)
    select p.run, p.step, p.seq, p.epoch, p.held_by, p.started_at, 'crash', p.error from poisoned p
), halted as (
    update bf.step s set halted = true
      from poisoned p
     where s.run = p.run and s.step = p.step and s.chronological and s.on_failure = 'halt' and s.max_failed_ratio is null
)
select o.ord,
       case when o.state is null and not exists (select from bf.job j where j.run = o.run and j.step = o.step and j.seq = o.seq)
            then 'unknown' when o.verdict = 'poisoned' then 'settled'
            when o.verdict = 'opened' and o.ord not in (select p.ord from opened p) then 'early' else o.verdict end as verdict,
       case when o.verdict = 'poisoned' then 'failed' else o.state end as state,
       case when o.verdict = 'opened' then o.epoch + 1 else o.epoch end as epoch,
       o.attempts, case when o.state = 'running' or o.over_hole is not true then o.checkpoint end, o.since, o.until, o.key,
       case when o.verdict = 'held' then o.throttle_ms
            else ceil(extract(epoch from o.not_before - clock_timestamp()) * 1000)::bigint end as early_ms,
       case when o.verdict = 'opened' and o.state = 'running' then o.old_pid end as stale_pid,
       case when o.verdict = 'opened' and o.state = 'running' then o.old_start end as stale_start,
       o.lookback_key, coalesce(o.redone, 0) as redone, coalesce(o.put_off, 0) as put_off,
       coalesce(ceil(extract(epoch from clock_timestamp() - o.waits_since) * 1000)::bigint, 0) as waited_ms
  from judged o cross join durability
 order by o.ord;
