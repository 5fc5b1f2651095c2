-- The queue's generation as the ledger has it.
select generation from bf.meta;
