-- A person's decision about an approval.  $1 run, $2 step, $3 whether it is approved, $4 who, $5 note
-- outcome: as of bf.approve. The rest is of before: the job's state, what was said when it was decided, what it waits for, the step's kind.
select d.outcome, j.state, coalesce(j.note, j.error) as said,
       (select 'it waits for ' || string_agg(n.step || ' (' || n.state || ')', ', ' order by n.ordinal)
          from bf.step n where n.run = s.run and n.step = any (s.needs) and n.state in ('waiting', 'released')) as wanting,
       s.kind
  from (select bf.approve($1::text, $2::text, $3::boolean, $4::text, $5::text) as outcome
          from (select pg_advisory_xact_lock(hashtext('bf.run'), hashtext($1::text)) offset 0) gate) d -- open_jobs.sql has it
  left join bf.step s on s.run = $1::text and s.step = $2::text
  left join bf.job j on j.run = s.run and j.step = s.step and j.seq = 1;
