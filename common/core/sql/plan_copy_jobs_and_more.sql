-- The jobs of a new run, with those that they wait for and the key that they look back to.
copy bf.job (run, step, seq, chunk, since, until, key, after, lookback_key) from stdin;
