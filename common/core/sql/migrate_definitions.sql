-- Which functions and views the ledger has, and which version of the program brought them.
select coalesce(definitions, '') as sha256, definitions_by from bf.meta;
