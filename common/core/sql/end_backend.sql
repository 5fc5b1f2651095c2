-- Ends a PostgreSQL backend that a job's earlier attempt was using (PROTOCOL L6), if it is still that very backend.
--   $1 pid, $2 its start
select pg_terminate_backend(a.pid) from pg_stat_activity a where a.pid = $1::int and a.backend_start = $2::timestamptz;
