-- Begins a new generation of the queue, if the present one is still $1: its number, or no row.
update bf.meta set generation = generation + 1 where generation = $1::bigint returning generation;
