-- Opens failed and cancelled jobs again; how many.  $1 run, $2 step or null, $3 chunk or null, $4 who, $5 note
select bf.retry($1::text, $2::text, $3::text, $4::text, $5::text) as jobs;
