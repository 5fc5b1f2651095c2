select n::text from generate_series(1, :n) as n;
