-- Keeps a pipeline's body for as long as the ledger; gives its hash.  $1 name, $2 body
with body as (
    select encode(sha256(convert_to($2::text, 'UTF8')), 'hex') as sha256
), kept as (
    insert into bf.pipeline (sha256, name, body, written) select sha256, $1::text, $2::jsonb, $2::text from body on conflict do nothing
)
select sha256 from body;
