-- A text as one word of a shell, as common/base/show.c writes it: bare, in '…', or, where it has characters that a terminal obeys or does
-- not show, in $'…' with the octal bytes of these.
create or replace function bf.shell_word(p_text text) returns text
language sql immutable strict parallel safe set search_path = pg_catalog, bf, pg_temp as $$
    select case
        when p_text ~ '^[A-Za-z0-9._:@%/+=,-]+$' then p_text
        when p_text !~ hidden.class then '''' || replace(p_text, '''', '''\''''') || ''''
        else '$''' || (
            select string_agg(case when c !~ hidden.class then case when c in ('''', '\') then '\' || c else c end
                                   else (select string_agg('\' || (b >> 6) || ((b >> 3) & 7) || (b & 7), '' order by i)
                                           from generate_series(0, octet_length(c) - 1) i
                                          cross join lateral (select get_byte(convert_to(c, 'UTF8'), i)) as byte(b)) end, '' order by n)
              from regexp_split_to_table(p_text, '') with ordinality as chars(c, n)) || '''' end
      from (values ('[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb'
                    || '\U0001d173-\U0001d17a\U000e0000-\U000e007f]')) as hidden(class)
$$;
comment on function bf.shell_word(text) is 'A text as one word of a shell, which can be pasted and shows nothing that a terminal obeys.';
