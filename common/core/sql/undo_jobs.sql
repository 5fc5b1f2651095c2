-- A page of a run's done jobs whose step has a rollback file, newest first, and of those that may have been carried out although they failed
-- (unknown); `taken`: another run has done it since, or is about to; `beyond`: it has days outside of the range $8..$9.
-- $1 run, $2 step or null, $3 chunks or null, $4 finished at, as the page before has it (null: from the newest), $5, $6 that one's step
-- and seq, $7 at most so many, $8, $9 first and last day (null: open); without them also jobs that have no days
with steps as materialized (
    select step from bf.rollbacks where run = $1::text and ($2::text is null or step = $2::text)
), taken as materialized (
    select s.step, t.seq from steps s cross join lateral bf.taken($1::text, s.step) as t(seq)
), unknown as materialized (
    select u.step, u.seq from bf.unknown_outcomes u join steps using (step) where u.run = $1::text
), found as (
    select j.*, j.state <> 'done' as unknown from bf.job j join steps using (step)
     where j.run = $1::text and ($3::text[] is null or j.chunk = any ($3::text[]))
       and ($8::date is null or j.until >= $8::date) and ($9::date is null or j.since <= $9::date)
       and (j.state = 'done' or (j.state in ('failed', 'cancelled') and (j.step, j.seq) in (select step, seq from unknown)))
       and ($4::text is null or (j.finished_at, j.step, j.seq) < ($4::timestamptz, $5::text collate "C", $6::int))
     order by j.finished_at desc, j.step desc, j.seq desc limit $7::int
)
select j.step, j.seq, j.epoch, j.chunk, coalesce(j.since::text, '') as since, coalesce(j.until::text, '') as until, coalesce(j.key, '') as key,
       to_char(j.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ') as started_at,
       to_char(j.finished_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ') as finished_at,
       exists (select from taken t where t.step = j.step and t.seq = j.seq) as taken, j.unknown,
       coalesce(j.since < $8::date, false) or coalesce(j.until > $9::date, false) as beyond
  from found j order by j.finished_at desc, j.step desc, j.seq desc;
