-- oldest program that can live with this schema: 0.1.0
--
-- A large run is cancelled in parts: what runs at once, and then so many jobs a transaction that nobody waits for it. Whoever advances the run
-- does the next part, so it comes to its end whatever becomes of the one who has decided it.

alter table bf.run add column cancelling boolean not null default false;
comment on column bf.run.cancelling is 'It was decided to cancel all of it; it is "stopping" until its last job is.';

