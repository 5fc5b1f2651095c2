-- The migrations that the ledger has had, by number.
select number, name, oldest_program from bf.migration order by number;
