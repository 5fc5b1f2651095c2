-- What the sample works on: sessions and their profiles, which a scoring function writes; the telemetry that says how it goes.
-- Again at any time: it begins anew.
drop schema if exists guarded cascade;
create schema guarded;

create table guarded.session (id text primary key, environment text not null, completed_at timestamptz);
create table guarded.profile (
    session_id text primary key references guarded.session, results_version text not null, score int not null,
    written_by text not null, written_at timestamptz not null default clock_timestamp());
-- What a profile was before: each writer leaves it here.
create table guarded.profile_history (
    id bigint generated always as identity primary key, session_id text not null, results_version text not null, score int not null,
    written_by text not null, written_at timestamptz not null, replaced_by text not null, replaced_at timestamptz not null default clock_timestamp());
create table guarded.event (
    at timestamptz not null default clock_timestamp(), environment text not null, name text not null, fc_kind text, tokenized boolean);

-- The scoring function's own writing. Safe to repeat: the same version is written once.
create function guarded.score(p_session text, p_version text, p_by text) returns int language plpgsql as $$
declare
    v_score int;
begin
    perform from guarded.session where id = p_session and completed_at is not null for update;
    if not found then
        return null;
    end if;
    v_score := 40 + abs(hashtext(p_session || p_version)) % 60;
    insert into guarded.profile_history (session_id, results_version, score, written_by, written_at, replaced_by)
    select session_id, results_version, score, written_by, written_at, p_by from guarded.profile
     where session_id = p_session and results_version <> p_version;
    insert into guarded.profile (session_id, results_version, score, written_by) values (p_session, p_version, v_score, p_by)
        on conflict (session_id) do update set results_version = p_version, score = v_score, written_by = p_by, written_at = clock_timestamp()
        where profile.results_version <> p_version;
    insert into guarded.event (environment, name, fc_kind)
    select environment, 'scored', 'functions' from guarded.session where id = p_session;
    return v_score;
end $$;
