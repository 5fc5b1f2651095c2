-- The jobs of a new run.
copy bf.job (run, step, seq, chunk, since, until, key) from stdin;
