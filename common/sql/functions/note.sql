-- Records what a program did that is no decision about jobs: a plan, a rollback, a throttle's answer.
-- Nobody but the ledger's owner inserts events in another way.
create or replace function bf.note(p_run text, p_step text, p_chunk text, p_who text, p_what text, p_note text) returns void
language plpgsql security definer set search_path = pg_catalog, bf, pg_temp as $$
begin
    if p_what <> all (array['plan', 'rollback', 'held back', 'let go']) then
        raise exception 'found the event "%", expected plan, rollback, held back or let go', p_what
            using errcode = 'insufficient_privilege', hint = 'Decisions are recorded by the functions that carry them out.';
    end if;
    insert into bf.event (run, step, chunk, who, what, note) values (p_run, p_step, p_chunk, p_who, p_what, p_note);
end $$;
