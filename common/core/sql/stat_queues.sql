-- The queues that have runs under way, and how much work the ledger has for each.
select r.queue, count(distinct r.run) as runs, coalesce(sum(j.pending), 0)::bigint as pending, coalesce(sum(j.running), 0)::bigint as running
  from bf.run r
  left join lateral (select sum(c.pending) as pending, sum(c.running) as running
                       from bf.step s
                      cross join lateral (select count(*) filter (where state = 'pending') as pending,
                                                 count(*) filter (where state = 'running') as running
                                            from bf.job where run = s.run and step = s.step and seq >= s.floor) c
                      where s.run = r.run and s.state in ('waiting', 'released')) j on true
 where r.state not in ('done', 'failed', 'cancelled')
 group by r.queue order by r.queue;
