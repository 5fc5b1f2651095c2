-- What a run was planned from: its pipeline, whether that is $2, and the command that takes what failed with the
-- pipeline as it is.  $1 run, $2 the pipeline's body
select r.pipeline, r.sha256 = encode(sha256(convert_to($2::text, 'UTF8')), 'hex') as same,
       bf.command_again(r) || ' --reprocess=failed' as again
  from bf.run r where r.run = $1::text;
