-- Does a step stop what needs it? One that was skipped or cancelled does; so does a failed approval,
-- and a failed step whose failures halt; so does a step that lacks chunks for something before it
-- that stops others, whatever its own failures may do.
create or replace function bf.stops_others(s bf.step) returns boolean
language sql immutable set search_path = pg_catalog, bf, pg_temp as $$
    select s.state in ('skipped', 'cancelled')
        or (s.state = 'failed' and (s.kind = 'approval' or case when s.max_failed_ratio is null then s.on_failure = 'halt' else s.halted end
                                    or (s.halted and s.by_chunk <> '{}')))
$$;
