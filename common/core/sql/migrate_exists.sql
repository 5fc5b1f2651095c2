-- Is there a ledger in this database?
select to_regclass('bf.migration') is not null as there;
