-- A text as one word for a shell.
create or replace function bf.shell_word(p_text text) returns text
language sql immutable as $$
    select case when p_text ~ '^[A-Za-z0-9._:@%/+=,-]+$' then p_text else '''' || replace(p_text, '''', '''\''''') || '''' end
$$;
