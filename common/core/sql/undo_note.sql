-- Who undoes what of a run, and why.  $1 run, $2 step or null, $3 chunk or null, $4 who, $5 note or null
select bf.note($1::text, $2::text, $3::text, $4::text, 'rollback', $5::text);
