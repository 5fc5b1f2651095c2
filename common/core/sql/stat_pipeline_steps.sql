-- The steps that a pipeline's runs have had, for suggestions.  $1 pipeline
select s.step, min(s.ordinal) as ordinal from bf.run r join bf.step s using (run)
 where r.pipeline = $1::text group by s.step order by ordinal, s.step;
