-- Raises p_sqlstate unless p_rows is null. BF002: another writer has changed what is to be undone;
-- BF003: it is still there after the undo.
create or replace function bf.expect_none(p_rows jsonb, p_sqlstate text, p_what text) returns void
language plpgsql immutable set search_path = pg_catalog, bf, pg_temp as $$
begin
    if p_rows is not null then
        raise exception '%', p_what using errcode = p_sqlstate, detail = left(p_rows::text, 20000);
    end if;
end $$;
