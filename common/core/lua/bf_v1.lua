#!lua name=bf_v1
-- revision 4
--
-- The queue's protocol, version 1 (docs/queue.md). Everything that changes more than one key is one function here, does a bounded
-- amount of work, takes its time from Redis, and acts only where the present state confirms it (SADD, SREM, HDEL gave 1).
--
-- A job is written  <run>/<step>/<chunk>#<n>  where n is its place in the step's order. Pending lists hold  <chunk>#<n>,
-- released sets  <step>/<chunk>#<n>. A pending list that is long has a sorted set beside it (`returned`), for what came back to it.
--
-- The life of a job here:  pending list --release--> queue (and released set) --claim--> worker's jobs --acknowledge--> gone,
-- with two ways back: to its place in the pending list, or by way of the delayed set.

local PAGE = 200 -- the most that one call moves in the background: due jobs, a dead worker's jobs
local NEAR = 300 -- how far into a pending list something is put back or looked for by reading it
local RELEASE = 300 -- the most of one step that one call releases
local RATED_AHEAD = 100 -- the most jobs of a run with a rate that are released and not yet at work
local SEARCH = 1200 -- how much of a queue's list one call reads
local SUSPECTS = 100 -- how many of a run's released jobs one call looks for
-- A field that makes a hash a large one: a small one is searched from its beginning for each field.
local WIDE = '.................................................................'
local KEEP_TOMBSTONE = 86400 -- seconds that a condemned worker's record is kept
local KEEP_ENDED = 604800 -- seconds that an ended run can still be looked at

local function run_key(run) return 'bf:run:' .. run end
local function step_key(run, step) return 'bf:run:' .. run .. ':step:' .. step end
local function pending_key(run, step) return 'bf:run:' .. run .. ':pending:' .. step end
local function returned_key(run, step) return 'bf:run:' .. run .. ':returned:' .. step end
local function released_key(run) return 'bf:run:' .. run .. ':released' end
local function step_released_key(run, step) return 'bf:run:' .. run .. ':released:' .. step end
local function worker_key(id) return 'bf:worker:' .. id end
local function jobs_key(id) return 'bf:worker:' .. id .. ':jobs' end

-- run, step, chunk#n
local function split(job) return string.match(job, '^([^/]+)/([^/]+)/(.*#%d+)$') end
-- 0: it is no chunk. Such a one stands before all others, comes to its release, and is dropped there.
local function number_of(rest) return tonumber(string.match(rest, '#(%d+)$', -11)) or 0 end

-- Jobs by their steps: { run, step, jobs, members (of the run's released set), rests }…  What is not a job is left out.
local function by_step(jobs)
  local groups, list, find, sub, prefix, g = {}, {}, string.find, string.sub, '/', nil
  for _, job in ipairs(jobs) do
    if find(job, prefix, 1, true) ~= 1 then -- not of the same step as the one before
      local run, step = split(job)
      prefix = run and run .. '/' .. step .. '/' or '/'
      g = groups[prefix]
      if run and not g then
        g = { run = run, step = step, jobs = {}, members = {}, rests = {} }
        groups[prefix] = g
        list[#list + 1] = g
      end
    end
    if g and find(job, '#%d+$', -11) then
      local i = #g.jobs + 1
      g.jobs[i], g.members[i], g.rests[i] = job, sub(job, #g.run + 2), sub(job, #prefix + 1)
    end
  end
  return list
end

-- Refuses another generation (R1). While the queue is being rebuilt only the rebuilder's functions are let in.
local function refuse(generation, rebuilder)
  local present = redis.call('GET', 'bf:generation')
  if present == generation then return nil end
  if rebuilder and redis.call('GET', 'bf:rebuilding') == generation then return nil end
  return { 'generation', present or '' }
end

-- ---- time ---------------------------------------------------------------------------------------------------------------

-- The queue's own clock in ms: Redis's, and what is known of its jumps (bf:clock).
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000) + tonumber(redis.call('GET', 'bf:clock') or '0')
end

-- The same, for a function that somebody calls at least every half lease; it notices when nobody did (R8): Redis was away, or its clock
-- jumped. Then nobody is swept before one full lease. This clock never goes back. Nor does it go on by what it missed when a worker
-- speaks that had its lease before (`worker`; nil: not one that exchanges): to that one a jump and an absence look alike, and either way
-- what was delayed waits for the rest of its time. If all workers are new, the time has really passed.
local function clock(lease, worker)
  local now, last = now_ms(), tonumber(redis.call('GET', 'bf:last') or '')
  local gone = last and now - last
  if gone and gone >= 0 and gone <= lease / 2 then
    redis.call('SET', 'bf:last', now)
    return now
  end
  local lease_end = worker and tonumber(redis.call('ZSCORE', 'bf:workers', worker) or '')
  if gone and (gone < 0 or (lease_end and lease_end - lease <= last)) then
    now = last
    redis.call('SET', 'bf:clock', tonumber(redis.call('GET', 'bf:clock') or '0') - gone)
  end
  if not gone or math.abs(gone) > lease / 2 then redis.call('SET', 'bf:grace', now + lease) end
  if gone and gone > 0 and not worker and now ~= last then return last end -- whether it passed, a worker will show
  redis.call('SET', 'bf:last', now)
  return now
end

-- ---- the order of a step --------------------------------------------------------------------------------------------------

local function is_over(run) return redis.call('SISMEMBER', 'bf:runs', run) == 0 end

-- What stands in a pending list before number `last`, and whether all of it was read.
local function before(key, last)
  local head, page = {}, 16
  while #head < NEAR do
    local some = redis.call('LRANGE', key, #head, #head + page - 1)
    for _, rest in ipairs(some) do
      if number_of(rest) > last then return head, true end
      head[#head + 1] = rest
    end
    if #some < page then return head, true end
    page = math.min(2 * page, NEAR - #head)
  end
  return head, false
end

-- Puts chunks of a step back to their places, by number (R5); how many were not there. They belong near the head: into the list, if few
-- stand before them. A long list cannot be searched quickly, so else they wait in a sorted set, from which they are released in turn.
local function put_back(run, step, rests)
  if #rests == 0 or is_over(run) then return 0 end
  local key, place, last = pending_key(run, step), {}, 0
  for _, rest in ipairs(rests) do
    local n = number_of(rest)
    place[n] = rest
    last = math.max(last, n)
  end
  local head, whole = before(key, last)
  if not whole then
    local scored = {}
    for n, rest in pairs(place) do
      scored[#scored + 1] = n
      scored[#scored + 1] = rest
    end
    return redis.call('ZADD', returned_key(run, step), unpack(scored))
  end
  for _, rest in ipairs(head) do place[number_of(rest)] = rest end
  local order, list = {}, {}
  for n in pairs(place) do order[#order + 1] = n end
  table.sort(order, function(a, b) return a > b end)
  for i, n in ipairs(order) do list[i] = place[n] end
  if #head > 0 then redis.call('LPOP', key, #head) end
  redis.call('LPUSH', key, unpack(list))
  return #list - #head
end

-- Takes the next `want` chunks of a step: from the pending list, and from what came back and stands in the sorted set.
local function take(run, step, want)
  local key, back = pending_key(run, step), returned_key(run, step)
  local first = redis.call('ZRANGE', back, 0, want - 1)
  if #first == 0 then return redis.call('LPOP', key, want) or {} end
  local none = math.huge
  local function number(rest) return rest and number_of(rest) or none end
  local head = redis.call('LINDEX', key, 0)
  local list = number(head) <= number(first[want]) and redis.call('LRANGE', key, 0, want - 1) or {}
  local taken, i, k, a, b = {}, 1, 1, number(first[1]), number(list[1])
  while #taken < want and (a < none or b < none) do
    taken[#taken + 1] = a <= b and first[i] or list[k]
    local next_a, next_b = a <= b, b <= a
    if next_a then
      i = i + 1
      a = number(first[i])
    end
    if next_b then
      k = k + 1
      b = number(list[k])
    end
  end
  if i > 1 then redis.call('ZREMRANGEBYRANK', back, 0, i - 2) end
  if k > 1 then redis.call('LPOP', key, k - 1) end
  return taken
end

-- How many chunks of a step wait for their release.
local function waiting(run, step) return redis.call('LLEN', pending_key(run, step)) + redis.call('ZCARD', returned_key(run, step)) end

-- Forgets that these were released; how many were.
local function forget_release(g)
  redis.call('SREM', step_released_key(g.run, g.step), unpack(g.rests))
  return redis.call('SREM', released_key(g.run), unpack(g.members))
end

-- How many more of a run may be released. Of a run with a rate no more than can soon start are: they would only be delayed.
local function room(run, concurrency, interval, running)
  local released = redis.call('SCARD', released_key(run))
  local free = tonumber(concurrency) - released
  if tonumber(interval or 0) > 0 then free = math.min(free, RATED_AHEAD - (released - tonumber(running or 0))) end
  return free
end

-- Do a step's counters say that all of it is settled?  planned and what has become of them
local function all_settled(s)
  local settled = 0
  for i = 3, 6 do settled = settled + tonumber(s[i] or 0) end
  return settled >= tonumber(s[2] or 0)
end

-- Fills a run's window from its pending lists (R4): steps in pipeline order, each in its own order. Returns true when a step seems to
-- have all of its jobs settled, which is when the ledger should be asked to move the run on.
local function release(run, touched)
  local h = redis.call('HMGET', run_key(run), 'state', 'concurrency', 'queue', 'open', 'interval_ms', 'running')
  if h[1] ~= 'running' or not h[4] then return false end
  local free, queue, settled = room(run, h[2], h[5], h[6]), h[3], false
  for step in string.gmatch(h[4], '%S+') do
    local s = redis.call('HMGET', step_key(run, step), 'concurrency', 'planned', 'done', 'failed', 'skipped', 'cancelled')
    local own, want = tonumber(s[1]), free
    if own and own > 0 then want = math.min(want, own - redis.call('SCARD', step_released_key(run, step))) end
    local chunks = want > 0 and take(run, step, math.min(want, RELEASE)) or {}
    if #chunks > 0 then
      local members, jobs, rests, prefix = {}, {}, {}, run .. '/' .. step .. '/'
      local there = redis.call('SMISMEMBER', step_released_key(run, step), unpack(chunks))
      for i, rest in ipairs(chunks) do
        if there[i] == 0 and number_of(rest) > 0 then -- else it is somewhere already; repair looks
          local k = #jobs + 1
          jobs[k], rests[k], members[k] = prefix .. rest, rest, step .. '/' .. rest
        end
      end
      if #jobs > 0 then
        redis.call('SADD', released_key(run), unpack(members))
        redis.call('SADD', step_released_key(run, step), unpack(rests))
        redis.call('RPUSH', 'bf:queue:' .. queue, unpack(jobs))
      end
      touched[queue] = true
      free = free - #jobs
    elseif all_settled(s) and redis.call('SCARD', step_released_key(run, step)) == 0 and waiting(run, step) == 0 then
      settled = true
    end
  end
  return settled
end

-- Wakes as many idle workers as there are jobs left for them (R14).
local function wake(queue)
  local jobs = redis.call('LLEN', 'bf:queue:' .. queue)
  if jobs == 0 then return end
  local tokens = math.min(jobs, redis.call('SCARD', 'bf:idle:' .. queue) - redis.call('LLEN', 'bf:wake:' .. queue))
  for _ = 1, tokens do
    redis.call('RPUSH', 'bf:wake:' .. queue, '1')
  end
end

local function wake_all(touched)
  for queue in pairs(touched) do wake(queue) end
end

local function release_and_wake(run)
  local touched = {}
  release(run, touched)
  wake_all(touched)
end

local function count_running(run, step, by)
  if redis.call('EXISTS', run_key(run)) == 1 then
    redis.call('HINCRBY', run_key(run), 'running', by)
    redis.call('HINCRBY', step_key(run, step), 'running', by)
  end
end

-- Lists jobs under a worker.
local function list_under(worker, jobs, now)
  local fields, since = { WIDE, '' }, string.format('%d', now)
  for i, job in ipairs(jobs) do
    fields[2 * i + 1] = job
    fields[2 * i + 2] = since
  end
  redis.call('HSET', jobs_key(worker), unpack(fields))
  redis.call('HDEL', jobs_key(worker), WIDE)
end

-- Puts jobs under a worker's name that were nobody's.
local function grant(worker, jobs, now)
  if #jobs == 0 then return end
  list_under(worker, jobs, now)
  for _, g in ipairs(by_step(jobs)) do
    redis.call('SADD', released_key(g.run), unpack(g.members))
    redis.call('SADD', step_released_key(g.run, g.step), unpack(g.rests))
    count_running(g.run, g.step, #g.jobs)
  end
end

-- Jobs that are nobody's any more go to the head of their queue if they are still released, else to their places in the pending list.
local function requeue(jobs, touched)
  for _, g in ipairs(by_step(jobs)) do
    local queue = redis.call('HGET', run_key(g.run), 'queue')
    if queue then
      local there = redis.call('SMISMEMBER', released_key(g.run), unpack(g.members))
      local order, ready, list, rests = {}, {}, {}, {}
      for i, rest in ipairs(g.rests) do
        if there[i] == 1 then
          local n = number_of(rest)
          order[#order + 1], ready[n] = n, g.jobs[i]
        else
          rests[#rests + 1] = rest
        end
      end
      if #order > 0 then
        table.sort(order, function(a, b) return a > b end)
        for i, n in ipairs(order) do list[i] = ready[n] end
        redis.call('LPUSH', 'bf:queue:' .. queue, unpack(list))
        touched[queue] = true
      end
      put_back(g.run, g.step, rests)
    end
  end
end

-- Takes jobs away from a worker, who does not have them any more.
local function take_away(worker, jobs, touched)
  if #jobs == 0 then return end
  redis.call('HDEL', jobs_key(worker), unpack(jobs))
  for _, g in ipairs(by_step(jobs)) do count_running(g.run, g.step, -#g.jobs) end
  requeue(jobs, touched)
end

-- Where in a list's first entries some of `items` (a set) stand: { item = index }, and whether that was the whole list.
local function find_in(key, items, limit)
  local found, at, left = {}, 0, 0
  for _ in pairs(items) do left = left + 1 end
  while left > 0 and at < limit do
    local page = redis.call('LRANGE', key, at, at + 999)
    for i, item in ipairs(page) do
      if items[item] and not found[item] then
        found[item] = at + i - 1
        left = left - 1
      end
    end
    if #page < 1000 then return found, true end
    at = at + 1000
  end
  return found, left == 0
end

-- Which of a step's chunks stand near the head of its pending list: { rest = index }.
local function find_pending(run, step, rests)
  local key, found = pending_key(run, step), {}
  if #rests > 3 then -- then reading it is quicker
    local wanted = {}
    for _, rest in ipairs(rests) do wanted[rest] = true end
    return (find_in(key, wanted, NEAR))
  end
  for _, rest in ipairs(rests) do found[rest] = redis.call('LPOS', key, rest, 'MAXLEN', NEAR) or nil end
  return found
end

-- The same for a queue's list, however long it is, and the jobs that are not in it: { job… }. What stands far from its head has to be
-- searched for one by one: only as many are as a bounded amount of work allows, nothing is said about the others.
local function find_queued(queue, jobs)
  local key, absent = 'bf:queue:' .. queue, {}
  local found, whole = find_in(key, jobs, SEARCH)
  local rest = whole and 0 or redis.call('LLEN', key) - SEARCH
  local tries = rest > 0 and math.max(1, math.floor(5 * SEARCH / rest)) or nil
  for job in pairs(jobs) do
    if not found[job] and tries ~= 0 then
      found[job] = rest > 0 and redis.call('LPOS', key, job, 'RANK', -1, 'MAXLEN', rest) or nil
      if not found[job] then absent[#absent + 1] = job end
      if tries then tries = tries - 1 end
    end
  end
  return found, absent
end

-- Takes what find_in has found out of its list. (LREM of each would search for each.)
local function strike(key, found)
  local n = 0
  for _, index in pairs(found) do
    redis.call('LSET', key, index, '')
    n = n + 1
  end
  if n > 0 then redis.call('LREM', key, n, '') end
end

-- ---- exchange -----------------------------------------------------------------------------------------------------------

-- Acknowledgements of one kind: `verb` done | failed | skipped | cancelled (settled, counted), retry | later (delayed), held (delayed, and
-- in the window meanwhile), return (to its place in the order) or drop (no longer in the ledger). Only jobs that this worker still has are touched (R3).
local function acknowledge(worker, verb, delay, jobs, now, runs)
  local key = jobs_key(worker)
  local held = redis.call('HMGET', key, unpack(jobs))
  local mine, n = {}, 0
  for i, job in ipairs(jobs) do
    if held[i] then
      n = n + 1
      mine[n] = job
    end
  end
  if n == 0 then return end
  redis.call('HDEL', key, unpack(mine))
  for _, g in ipairs(by_step(mine)) do
    local rkey, skey = run_key(g.run), step_key(g.run, g.step)
    runs[g.run] = true
    local delayed = verb == 'retry' or verb == 'later' or verb == 'held'
    local keeps_place = verb == 'held' or delayed and redis.call('HGET', skey, 'chronological') == '1'
    local finished = keeps_place and 0 or forget_release(g)
    if redis.call('EXISTS', rkey) == 1 then
      redis.call('HINCRBY', rkey, 'running', -#g.jobs)
      redis.call('HINCRBY', skey, 'running', -#g.jobs)
      if delayed then
        local due, args = now + delay, {}
        for _, job in ipairs(g.jobs) do
          args[#args + 1] = due
          args[#args + 1] = job
        end
        redis.call('ZADD', 'bf:delayed:' .. redis.call('HGET', rkey, 'queue'), unpack(args))
      elseif verb == 'return' then
        put_back(g.run, g.step, g.rests)
      elseif verb ~= 'drop' and finished > 0 and not is_over(g.run) then -- its end has set the counters to the ledger's
        redis.call('HINCRBY', rkey, verb, finished)
        redis.call('HINCRBY', skey, verb, finished)
      end
    end
  end
end

-- Jobs whose time has come: back to the head of the queue where they kept their place in the window, else to the pending list.
local function promote(queue, now, runs, touched)
  local key = 'bf:delayed:' .. queue
  local due = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, PAGE)
  if #due == 0 then return end
  redis.call('ZREM', key, unpack(due))
  requeue(due, touched)
  for _, job in ipairs(due) do
    local run = split(job)
    if run then runs[run] = true end
  end
end

-- Hands out up to `want` jobs of a queue to the worker. A run that is not running takes its jobs back; a run with a rate (R6, GCRA
-- with burst 1) gets its job delayed until it may start.
local function claim(worker, queue, want, now, known, claimed)
  local jobs = redis.call('LPOP', 'bf:queue:' .. queue, want)
  if not jobs then return 0 end
  local mine, early, closed, find, prefix, run, step, h = {}, {}, {}, string.find, '/', nil, nil, nil
  for _, job in ipairs(jobs) do
    if find(job, prefix, 1, true) ~= 1 then -- not of the same step as the one before
      run, step = split(job)
      prefix = run and run .. '/' .. step .. '/' or '/'
      h = run and known[run]
      if run and not h then
        local v = redis.call('HMGET', run_key(run), 'state', 'interval_ms', 'tat')
        h = { state = v[1], interval = tonumber(v[2]) or 0, tat = tonumber(v[3]) or 0, steps = {} }
        known[run] = h
      end
    end
    if not h or not find(job, '#%d+$', -11) then -- not a job: dropped
    elseif h.state ~= 'running' and h.state ~= 'stopping' then -- of a stopping run, open says what becomes of it
      closed[#closed + 1] = job
    elseif h.interval > 0 and now < h.tat then
      early[#early + 1] = h.tat
      early[#early + 1] = job
    else
      if h.interval > 0 then
        h.tat = math.max(now, h.tat) + h.interval
        redis.call('HSET', run_key(run), 'tat', string.format('%.3f', h.tat))
      end
      h.steps[step] = (h.steps[step] or 0) + 1
      mine[#mine + 1] = job
      claimed[#claimed + 1] = job
    end
  end
  if #early > 0 then redis.call('ZADD', 'bf:delayed:' .. queue, unpack(early)) end
  for _, g in ipairs(by_step(closed)) do
    forget_release(g)
    if known[g.run].state then put_back(g.run, g.step, g.rests) end
  end
  if #mine > 0 then list_under(worker, mine, now) end
  for run, h in pairs(known) do
    for step, n in pairs(h.steps) do count_running(run, step, n) end
    h.steps = {}
  end
  return #mine
end

-- The one exchange (R2): finished jobs in, lease renewed, new jobs out. It is numbered; the same number again gets the same reply.
--   generation worker number lease_ms
--   groups { verb delay_ms count job… }…   runs { run }…   queues { queue want }…
-- -> ok, now, ms until the next delayed job (-1: none), {job…}, {run to ask the ledger about…}, {run state version …}
--  | generation <present> | unknown | condemned | resync <last number>
local function exchange(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local worker, number, lease = a[2], tonumber(a[3]), tonumber(a[4])
  local now = clock(lease, worker)
  local record = redis.call('HMGET', worker_key(worker), 'number', 'condemned')
  if record[2] then return { 'condemned' } end
  if not record[1] then return { 'unknown' } end
  local last = tonumber(record[1])
  if number == last then
    redis.call('ZADD', 'bf:workers', now + lease, worker)
    local reply = redis.call('GET', worker_key(worker) .. ':reply')
    return reply and cmsgpack.unpack(reply) or { 'resync', last }
  end
  if number ~= last + 1 then return { 'resync', last } end

  local at, runs, touched = 5, {}, {}
  local n = tonumber(a[at])
  at = at + 1
  for _ = 1, n do
    local verb, delay, count = a[at], tonumber(a[at + 1]), tonumber(a[at + 2])
    local jobs = {}
    for i = 1, count do jobs[i] = a[at + 2 + i] end
    at = at + 3 + count
    acknowledge(worker, verb, delay, jobs, now, runs)
  end
  local notices = {}
  n = tonumber(a[at])
  for i = 1, n do
    local run = a[at + i]
    local h = redis.call('HMGET', run_key(run), 'state', 'version')
    local p = #notices
    notices[p + 1], notices[p + 2], notices[p + 3] = run, h[1] or '', h[2] or ''
  end
  at = at + n + 1
  local queues, n_queues = {}, tonumber(a[at])
  for i = 1, n_queues do
    queues[i] = { name = a[at + 2 * i - 1], want = tonumber(a[at + 2 * i]) }
    promote(queues[i].name, now, runs, touched)
  end

  local hints = {}
  for run in pairs(runs) do
    if release(run, touched) then hints[#hints + 1] = run end
  end
  local claimed, known, next_due, left = {}, {}, -1, 0
  for _, q in ipairs(queues) do
    left = left + q.want
    if q.want > 0 then left = left - claim(worker, q.name, q.want, now, known, claimed) end
  end
  for _, q in ipairs(queues) do -- what one queue does not use, another may
    if left > 0 then left = left - claim(worker, q.name, left, now, known, claimed) end
  end
  for _, q in ipairs(queues) do
    redis.call(left > 0 and 'SADD' or 'SREM', 'bf:idle:' .. q.name, worker)
    touched[q.name] = true
    local first = redis.call('ZRANGE', 'bf:delayed:' .. q.name, 0, 0, 'WITHSCORES')
    if first[2] then
      local wait = math.max(0, math.ceil(tonumber(first[2]) - now))
      if next_due < 0 or wait < next_due then next_due = wait end
    end
  end
  wake_all(touched)

  redis.call('ZADD', 'bf:workers', now + lease, worker)
  local reply = { 'ok', now, next_due, claimed, hints, notices }
  redis.call('HSET', worker_key(worker), 'number', number)
  redis.call('SET', worker_key(worker) .. ':reply', cmsgpack.pack(reply))
  return reply
end

-- ---- workers ------------------------------------------------------------------------------------------------------------

-- A worker introduces itself with a fresh id.  generation worker lease_ms { field value }…
local function hello(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local now, key = clock(tonumber(a[3]), a[2]), worker_key(a[2])
  if redis.call('HGET', key, 'condemned') then return { 'condemned' } end
  redis.call('HSETNX', key, 'number', 0)
  for i = 4, #a, 2 do redis.call('HSET', key, a[i], a[i + 1]) end
  redis.call('ZADD', 'bf:workers', now + tonumber(a[3]), a[2])
  return { 'ok', redis.call('HGET', key, 'number') }
end

-- A worker that holds nothing any more leaves.  generation worker { queue }…
local function goodbye(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  if redis.call('HLEN', jobs_key(a[2])) > 0 then return { 'holds', redis.call('HLEN', jobs_key(a[2])) } end
  redis.call('ZREM', 'bf:workers', a[2])
  redis.call('DEL', worker_key(a[2]), worker_key(a[2]) .. ':reply', jobs_key(a[2]))
  for i = 3, #a do
    redis.call('SREM', 'bf:idle:' .. a[i], a[2])
    wake(a[i])
  end
  return { 'ok' }
end

-- What a worker really holds (R9), after a reconnection and every few seconds. What Redis lists under it beyond that goes back to
-- its queue; what Redis has forgotten is taken back under its name, unless another worker has it by now: those come back as lost.
-- The list is of the moment behind exchange `number`. One that comes late, behind another exchange, speaks of other jobs: refused.
-- One call gives back PAGE jobs and takes back half as many; `more` is not 0 when some are left, and the worker should say it again.
--   generation worker number { job }…  -> ok {lost…} more | generation <present> | unknown | condemned | resync <last number>
local function hold(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local worker, now = a[2], now_ms()
  local record = redis.call('HMGET', worker_key(worker), 'number', 'condemned')
  if record[2] then return { 'condemned' } end
  if not record[1] then return { 'unknown' } end
  if a[3] ~= record[1] then return { 'resync', tonumber(record[1]) } end
  local holds, stray, more, touched = {}, {}, 0, {}
  for i = 4, #a do holds[a[i]] = true end
  for _, job in ipairs(redis.call('HKEYS', jobs_key(worker))) do
    if holds[job] then
      holds[job] = nil
    elseif #stray < PAGE then
      stray[#stray + 1] = job
    else
      more = more + 1
    end
  end
  take_away(worker, stray, touched)
  wake_all(touched)

  local known, queues, asked, lost = {}, {}, 0, {} -- queues: name -> the jobs that Redis does not have under this worker
  for job in pairs(holds) do
    if asked == PAGE / 2 then
      more = more + 1
      break
    end
    local run = split(job) or ''
    if known[run] == nil then known[run] = redis.call('HGET', run_key(run), 'queue') end
    local queue = known[run]
    if queue then -- a run that Redis does not know yet is brought back by reconcile; a later hold list settles its jobs
      queues[queue] = queues[queue] or {}
      queues[queue][job] = true
      asked = asked + 1
    end
  end
  for queue, jobs in pairs(queues) do
    local found, absent = find_queued(queue, jobs)
    local free = {}
    strike('bf:queue:' .. queue, found)
    for job in pairs(found) do
      free[#free + 1] = job
      asked = asked - 1
    end
    asked = asked - #absent
    for _, g in ipairs(by_step(absent)) do
      local listed = find_pending(g.run, g.step, g.rests)
      strike(pending_key(g.run, g.step), listed)
      for i, job in ipairs(g.jobs) do
        local back = redis.call('ZREM', returned_key(g.run, g.step), g.rests[i]) == 1
        if redis.call('ZREM', 'bf:delayed:' .. queue, job) == 1 or back or listed[g.rests[i]]
          or redis.call('SISMEMBER', released_key(g.run), g.members[i]) == 0 then
          free[#free + 1] = job
        else
          lost[#lost + 1] = job
        end
      end
    end
    grant(worker, free, now)
  end
  return { 'ok', lost, more + asked }
end

-- Some jobs that are listed under a worker.
local function some_jobs(worker, most)
  local list, seen, cursor = {}, {}, '0'
  repeat
    local page = redis.call('HSCAN', jobs_key(worker), cursor, 'COUNT', most)
    cursor = page[1]
    for i = 1, #page[2], 2 do
      local job = page[2][i]
      if #list < most and not seen[job] then list[#list + 1], seen[job] = job, true end
    end
  until cursor == '0' or #list >= most
  return list
end

-- Takes jobs from workers whose lease has ended (R7): condemned first, then moved in portions.  generation lease_ms
-- -> ok {worker…} (those that were condemned by this call or have jobs left)
local function sweep(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local now = clock(tonumber(a[2]))
  if now < tonumber(redis.call('GET', 'bf:grace') or '0') then return { 'ok', {} } end
  local swept, touched, left = {}, {}, PAGE
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', 'bf:workers', '-inf', now, 'LIMIT', 0, 10)) do
    local key = worker_key(worker)
    swept[#swept + 1] = worker
    redis.call('HSET', key, 'condemned', now)
    local jobs = left > 0 and some_jobs(worker, left) or {}
    left = left - #jobs
    take_away(worker, jobs, touched)
    if redis.call('EXISTS', jobs_key(worker)) == 0 then
      redis.call('ZREM', 'bf:workers', worker)
      redis.call('DEL', key .. ':reply')
      redis.call('EXPIRE', key, KEEP_TOMBSTONE)
      for queue in string.gmatch(redis.call('HGET', key, 'queues') or '', '%S+') do redis.call('SREM', 'bf:idle:' .. queue, worker) end
    end
  end
  wake_all(touched)
  return { 'ok', swept }
end

-- ---- runs ---------------------------------------------------------------------------------------------------------------

-- A step whose pending list was thrown away (an evicting server): there is none, and what is known of its jobs is fewer than were pushed.
local function has_lost_its_list(run, step)
  if redis.call('EXISTS', pending_key(run, step)) == 1 then return false end
  local known = redis.call('SCARD', step_released_key(run, step)) + redis.call('ZCARD', returned_key(run, step))
    + redis.call('ZCARD', 'bf:delayed:' .. (redis.call('HGET', run_key(run), 'queue') or ''))
  local h = redis.call('HMGET', step_key(run, step), 'pushed', 'done', 'failed', 'skipped', 'cancelled')
  for i = 2, 5 do known = known + tonumber(h[i] or '0') end
  return tonumber(h[1]) > known
end

-- Makes a run and its steps known, or brings them up to the ledger's word; the same call again changes nothing.
--   generation run n_fields { field value }… { step ordinal state planned concurrency chronological plan_number }…
-- -> ok {pushed of each step…} {done failed skipped cancelled of each step…}
local function sync_run(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, n = a[2], tonumber(a[3])
  local key = run_key(run)
  for i = 4, 3 + 2 * n, 2 do
    if a[i] == 'since_last_start_ms' then -- restores the rate after a rebuild (R6)
      local interval = tonumber(redis.call('HGET', key, 'interval_ms') or '0')
      redis.call('HSETNX', key, 'tat', string.format('%.3f', now_ms() - tonumber(a[i + 1]) + interval))
    else
      redis.call('HSET', key, a[i], a[i + 1])
    end
  end
  for _, field in ipairs({ 'done', 'failed', 'skipped', 'running' }) do redis.call('HSETNX', key, field, 0) end
  redis.call('PERSIST', key)
  redis.call('PERSIST', released_key(run))
  local open, pushed, counts, planned = {}, {}, {}, 0
  for i = 4 + 2 * n, #a, 7 do
    local step = a[i]
    local skey = step_key(run, step)
    redis.call('HSET', skey, 'ordinal', a[i + 1], 'state', a[i + 2], 'planned', a[i + 3], 'concurrency', a[i + 4], 'chronological', a[i + 5])
    for _, field in ipairs({ 'done', 'failed', 'skipped', 'running', 'pushed' }) do redis.call('HSETNX', skey, field, 0) end
    redis.call('PERSIST', skey)
    redis.call('PERSIST', step_released_key(run, step))
    planned = planned + tonumber(a[i + 3])
    if redis.call('HGET', skey, 'plan_number') ~= a[i + 6] or (a[i + 2] == 'released' and has_lost_its_list(run, step)) then
      redis.call('UNLINK', pending_key(run, step), returned_key(run, step))
      redis.call('HSET', skey, 'pushed', 0, 'plan_number', a[i + 6])
    end
    if a[i + 2] == 'released' then
      open[#open + 1] = step
    elseif a[i + 2] ~= 'waiting' then
      redis.call('UNLINK', pending_key(run, step), returned_key(run, step))
    end
    pushed[#pushed + 1] = tonumber(redis.call('HGET', skey, 'pushed'))
    for _, count in ipairs(redis.call('HMGET', skey, 'done', 'failed', 'skipped', 'cancelled')) do
      counts[#counts + 1] = tonumber(count or '0')
    end
  end
  redis.call('HSET', key, 'open', table.concat(open, ' '), 'planned', planned)
  redis.call('SADD', 'bf:runs', run)
  release_and_wake(run)
  return { 'ok', pushed, counts }
end

-- Appends a page of a step's plan (R10): applies only where the list ends at `from`, and leaves out what is already released.
--   generation run step from upto { chunk#n }…  -> ok <pushed now>
local function push(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, step = a[2], a[3]
  local skey = step_key(run, step)
  local pushed = redis.call('HGET', skey, 'pushed')
  if pushed ~= a[4] then return { 'ok', tonumber(pushed or -1) } end
  local list, delayed = {}, 'bf:delayed:' .. redis.call('HGET', run_key(run), 'queue')
  local released = a[6] and redis.call('SMISMEMBER', step_released_key(run, step), unpack(a, 6))
  local some_delayed = redis.call('EXISTS', delayed) == 1
  for i = 6, #a do
    local taken = released[i - 5] == 1 or (some_delayed and redis.call('ZSCORE', delayed, run .. '/' .. step .. '/' .. a[i]))
    if not taken then list[#list + 1] = a[i] end
  end
  if #list > 0 then redis.call('RPUSH', pending_key(run, step), unpack(list)) end
  redis.call('HSET', skey, 'pushed', a[5])
  release_and_wake(run)
  return { 'ok', tonumber(a[5]) }
end

-- Which of these jobs are nowhere: not released, not delayed, not near the head of their pending list.
--   generation run { step chunk#n }…  -> ok {place, from 1…}
local function missing(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, jobs, places, nowhere = a[2], {}, {}, {}
  local queue = redis.call('HGET', run_key(run), 'queue')
  if not queue then return { 'ok', {} } end
  for i = 3, #a, 2 do
    local job = run .. '/' .. a[i] .. '/' .. a[i + 1]
    jobs[#jobs + 1], places[job] = job, (i - 1) / 2
  end
  for _, g in ipairs(by_step(jobs)) do
    local released = redis.call('SMISMEMBER', released_key(run), unpack(g.members))
    local listed = find_pending(run, g.step, g.rests)
    local pushed = tonumber(redis.call('HGET', step_key(run, g.step), 'pushed') or 0)
    for i, rest in ipairs(g.rests) do
      if released[i] == 0 and not listed[rest] and pushed >= number_of(rest)
        and not redis.call('ZSCORE', returned_key(run, g.step), rest)
        and not redis.call('ZSCORE', 'bf:delayed:' .. queue, g.jobs[i]) then
        nowhere[#nowhere + 1] = places[g.jobs[i]]
      end
    end
  end
  table.sort(nowhere)
  return { 'ok', nowhere }
end

-- Takes chunks out of what waits for its release.
local function unlist(g)
  strike(pending_key(g.run, g.step), find_pending(g.run, g.step, g.rests))
  redis.call('ZREM', returned_key(g.run, g.step), unpack(g.rests))
end

-- Jobs that the ledger has as running, or as pending at the head of a step (worker ''). One that Redis has nowhere goes under its
-- worker's name if that one lives (its next hold list decides), else to its place in the pending list. While rebuilding, the
-- worker gets one fresh lease, for its own is among what was lost. Of a run that stops nothing is released: there a dead worker's job
-- goes to its queue, also from the pending list, so that it is opened, and with that left behind.
--   generation run lease_ms rebuilding { step chunk#n worker }…  -> ok <number put right>
local function adopt(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, lease, rebuilding = a[2], tonumber(a[3]), a[4] == '1'
  local now, touched = clock(lease), {}
  local h = redis.call('HMGET', run_key(run), 'queue', 'state')
  if not h[1] then return { 'ok', 0 } end
  local by_worker, left_behind, back, put = {}, {}, {}, 0
  for i = 5, #a, 3 do
    local step, rest, worker = a[i], a[i + 1], a[i + 2]
    local job = run .. '/' .. step .. '/' .. rest
    if redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 0 and not redis.call('ZSCORE', 'bf:delayed:' .. h[1], job) then
      local alive = worker ~= '' and tonumber(redis.call('ZSCORE', 'bf:workers', worker) or 0) > now
      if rebuilding and worker ~= '' and not alive then
        redis.call('ZADD', 'bf:workers', now + lease, worker)
        redis.call('HSETNX', worker_key(worker), 'number', 0)
        alive = true
      end
      if alive then
        if not by_worker[worker] then by_worker[worker] = {} end
        table.insert(by_worker[worker], job)
      elseif worker ~= '' and h[2] == 'stopping' then
        left_behind[#left_behind + 1] = job
      elseif tonumber(redis.call('HGET', step_key(run, step), 'pushed') or 0) >= number_of(rest) then
        back[#back + 1] = job
      end
    end
  end
  for worker, jobs in pairs(by_worker) do
    for _, g in ipairs(by_step(jobs)) do unlist(g) end
    grant(worker, jobs, now)
    put = put + #jobs
  end
  for _, g in ipairs(by_step(left_behind)) do
    unlist(g)
    redis.call('SADD', released_key(run), unpack(g.members))
    redis.call('SADD', step_released_key(run, g.step), unpack(g.rests))
    requeue(g.jobs, touched)
    put = put + #g.jobs
  end
  for _, g in ipairs(by_step(back)) do put = put + put_back(run, g.step, g.rests) end
  release(run, touched)
  wake_all(touched)
  return { 'ok', put }
end

-- How many jobs of each of a run's steps are under workers: { step = n }.
local function running_by_step(run)
  local running, prefix, find, match = {}, run .. '/', string.find, string.match
  for _, worker in ipairs(redis.call('ZRANGE', 'bf:workers', 0, -1)) do
    for _, job in ipairs(redis.call('HKEYS', jobs_key(worker))) do
      if find(job, prefix, 1, true) == 1 then
        local step = match(job, '^([^/]+)', #prefix + 1)
        if step then running[step] = (running[step] or 0) + 1 end
      end
    end
  end
  return running
end

-- Takes out of `wanted` (a set of some of `jobs`) what a worker has.
local function drop_those_under_workers(jobs, wanted)
  for _, worker in ipairs(redis.call('ZRANGE', 'bf:workers', 0, -1)) do
    local key = jobs_key(worker)
    if redis.call('HLEN', key) <= #jobs then
      for _, job in ipairs(redis.call('HKEYS', key)) do wanted[job] = nil end
    else
      for i, since in ipairs(redis.call('HMGET', key, unpack(jobs))) do
        if since then wanted[jobs[i]] = nil end
      end
    end
  end
end

-- Sets a run's counters to the ledger's, { step done failed skipped cancelled }… of `a` from `first` on, and the running ones to what workers have.
local function set_counters(run, a, first)
  if not a[first] then return end
  local running = running_by_step(run)
  local sum = { done = 0, failed = 0, skipped = 0, cancelled = 0, running = 0 }
  for i = first, #a, 5 do
    local step = a[i]
    redis.call('HSET', step_key(run, step), 'done', a[i + 1], 'failed', a[i + 2], 'skipped', a[i + 3], 'cancelled', a[i + 4], 'running', running[step] or 0)
    sum.done, sum.failed, sum.skipped = sum.done + a[i + 1], sum.failed + a[i + 2], sum.skipped + a[i + 3]
    sum.cancelled, sum.running = sum.cancelled + a[i + 4], sum.running + (running[step] or 0)
  end
  for field, value in pairs(sum) do redis.call('HSET', run_key(run), field, value) end
end

-- What a counter has to be at the least and at the most while jobs are being settled and acknowledged: it said `before` when the ledger was
-- about to be asked, which then counted `ledger`; `held` jobs may be among these and not acknowledged yet. Within that it is left alone.
local function bounded(present, before, ledger, held)
  if before > ledger then return present - (before - ledger) end
  return math.max(present, ledger - held)
end

-- Puts those counters of a run right that cannot be: one that is off by no more than what is on its way comes right by itself. The run's are
-- the sums of its steps'.
--   generation run { step done failed skipped cancelled  and the four as sync_run gave them before }…  -> ok
local function recount(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, sum = a[2], { running = 0 }
  if redis.call('EXISTS', run_key(run)) == 0 then return { 'ok' } end
  local running = running_by_step(run)
  for i = 3, #a, 9 do
    local step, held = a[i], running[a[i]] or 0
    for k, field in ipairs({ 'done', 'failed', 'skipped', 'cancelled' }) do
      local present = tonumber(redis.call('HGET', step_key(run, step), field) or '0')
      local right = bounded(present, tonumber(a[i + 4 + k]), tonumber(a[i + k]), held)
      if right ~= present then redis.call('HSET', step_key(run, step), field, right) end
      sum[field] = (sum[field] or 0) + right
    end
    redis.call('HSET', step_key(run, step), 'running', held)
    sum.running = sum.running + held
  end
  for field, value in pairs(sum) do redis.call('HSET', run_key(run), field, value) end
  return { 'ok' }
end

-- Some of a run's released jobs, drawn by chance. What is no job is taken out: nobody would ever finish it, and it would keep its place in
-- the window. So is what is in a step's part of the set and not in the whole.
local function draw_released(run)
  local jobs = {}
  for _, member in ipairs(redis.call('SRANDMEMBER', released_key(run), SUSPECTS)) do
    local job = run .. '/' .. member
    if split(job) and number_of(member) > 0 then
      jobs[#jobs + 1] = job
    else
      redis.call('SREM', released_key(run), member)
    end
  end
  for step in string.gmatch(redis.call('HGET', run_key(run), 'open') or '', '%S+') do
    local rests = redis.call('SRANDMEMBER', step_released_key(run, step), SUSPECTS)
    for _, rest in ipairs(rests) do
      if redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 0 then redis.call('SREM', step_released_key(run, step), rest) end
    end
  end
  return jobs
end

-- Jobs of a run that are released but in no queue, not delayed and under no worker (a lossy failover) go back to their places: of a
-- large window, those among SUSPECTS drawn by chance.
-- Counters are set to the ledger's: for a rebuild, when nothing is on its way, and for an operator who asks for it.
--   generation run { step done failed skipped cancelled }…  -> ok <number put back>
local function repair(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, back = a[2], 0
  local queue = redis.call('HGET', run_key(run), 'queue')
  if not queue then return { 'ok', 0 } end
  local suspects, wanted = draw_released(run), {}
  if #suspects > 0 then
    local due = redis.call('ZMSCORE', 'bf:delayed:' .. queue, unpack(suspects))
    for i, job in ipairs(suspects) do
      if not due[i] then wanted[job] = true end
    end
    drop_those_under_workers(suspects, wanted)
    local _, nowhere = find_queued(queue, wanted)
    for _, g in ipairs(by_step(nowhere)) do
      forget_release(g)
      put_back(run, g.step, g.rests)
      back = back + #g.jobs
    end
  end
  set_counters(run, a, 3)
  release_and_wake(run)
  return { 'ok', back }
end

-- A run that is over: its counters are set to the ledger's, its lists go, its hashes stay for a week. So does what is still released: a
-- worker may hold it yet, and if the run is opened again before that one has said so, it must not be handed out beside it.
-- Where a newer decision has come here than the one that ended it (`version`), nothing happens.
--   generation run [version { step done failed skipped cancelled }…]
local function end_run(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, version = a[2], a[3]
  local h = redis.call('HMGET', run_key(run), 'version', 'steps')
  if version and h[1] ~= version then return { 'ok' } end
  set_counters(run, a, 4)
  for step in string.gmatch(h[2] or '', '%S+') do
    redis.call('UNLINK', pending_key(run, step), returned_key(run, step))
    redis.call('EXPIRE', step_released_key(run, step), KEEP_ENDED)
    redis.call('EXPIRE', step_key(run, step), KEEP_ENDED)
  end
  redis.call('EXPIRE', released_key(run), KEEP_ENDED)
  redis.call('EXPIRE', run_key(run), KEEP_ENDED)
  redis.call('SREM', 'bf:runs', run)
  return { 'ok' }
end

-- ---- rebuild (R11) ------------------------------------------------------------------------------------------------------

-- Begins a rebuild under a new generation: claims stop, the named queues and runs are emptied.
--   new_generation n_queues { queue }… { run n_steps { step }… }…
local function rebuild_begin(_, a)
  redis.call('DEL', 'bf:generation', 'bf:runs')
  for _, worker in ipairs(redis.call('ZRANGE', 'bf:workers', 0, -1)) do redis.call('UNLINK', jobs_key(worker)) end -- they say anew
  redis.call('SET', 'bf:rebuilding', a[1])
  local n = tonumber(a[2])
  for i = 3, 2 + n do redis.call('UNLINK', 'bf:queue:' .. a[i], 'bf:delayed:' .. a[i]) end
  local at = 3 + n
  while a[at] do
    local run, n_steps = a[at], tonumber(a[at + 1])
    redis.call('UNLINK', run_key(run), released_key(run))
    for i = at + 2, at + 1 + n_steps do
      redis.call('UNLINK', step_key(run, a[i]), pending_key(run, a[i]), returned_key(run, a[i]), step_released_key(run, a[i]))
    end
    at = at + 2 + n_steps
  end
  return { 'ok' }
end

-- Publishes the new generation: claims begin.  new_generation lease_ms
local function rebuild_end(_, a)
  if redis.call('GET', 'bf:rebuilding') ~= a[1] then return { 'generation', redis.call('GET', 'bf:generation') or '' } end
  local now = now_ms()
  redis.call('SET', 'bf:grace', now + tonumber(a[2]))
  redis.call('SET', 'bf:generation', a[1])
  redis.call('DEL', 'bf:rebuilding')
  return { 'ok' }
end

local function register(name, callback)
  redis.register_function({ function_name = 'bf_v1_' .. name, callback = callback, flags = { 'allow-oom' } })
end
register('exchange', exchange)
register('hello', hello)
register('goodbye', goodbye)
register('hold', hold)
register('sweep', sweep)
register('sync_run', sync_run)
register('missing', missing)
register('adopt', adopt)
register('recount', recount)
register('repair', repair)
register('end_run', end_run)
register('rebuild_begin', rebuild_begin)
register('rebuild_end', rebuild_end)
redis.register_function('bf_v1_push', push) -- the one that may be refused when Redis is full (R13)
