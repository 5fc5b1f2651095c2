#!lua name=bf_v1
-- revision 2
--
-- The queue's protocol, version 1 (docs/queue.md). Everything that changes more than one key is one function here, does a bounded
-- amount of work, takes its time from Redis, and acts only where the present state confirms it (SADD, SREM, HDEL gave 1).
--
-- A job is written  <run>/<step>/<chunk>#<n>  where n is its place in the step's order. Pending lists hold  <chunk>#<n>,
-- released sets  <step>/<chunk>#<n>.
--
-- The life of a job here:  pending list --release--> queue (and released set) --claim--> worker's jobs --acknowledge--> gone,
-- with two ways back: to its place in the pending list, or by way of the delayed set.

local PAGE = 200 -- the most that one call moves in the background: due jobs, a dead worker's jobs
local KEEP_TOMBSTONE = 86400 -- seconds that a condemned worker's record is kept
local KEEP_ENDED = 604800 -- seconds that an ended run can still be looked at

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function run_key(run) return 'bf:run:' .. run end
local function step_key(run, step) return 'bf:run:' .. run .. ':step:' .. step end
local function pending_key(run, step) return 'bf:run:' .. run .. ':pending:' .. step end
local function released_key(run) return 'bf:run:' .. run .. ':released' end
local function step_released_key(run, step) return 'bf:run:' .. run .. ':released:' .. step end
local function worker_key(id) return 'bf:worker:' .. id end
local function jobs_key(id) return 'bf:worker:' .. id .. ':jobs' end

-- run, step, chunk#n, n
local function split(job)
  local run, step, rest = string.match(job, '^([^/]+)/([^/]+)/(.*)$')
  if not run then return nil end
  return run, step, rest, tonumber(string.match(rest, '#(%d+)$'))
end

-- Refuses another generation (R1). While the queue is being rebuilt only the rebuilder's functions are let in.
local function refuse(generation, rebuilder)
  local present = redis.call('GET', 'bf:generation')
  if present == generation then return nil end
  if rebuilder and redis.call('GET', 'bf:rebuilding') == generation then return nil end
  return { 'generation', present or '' }
end

-- After Redis itself was away, or its clock jumped, nobody is swept before one full lease (R8).
local function notice_absence(now, lease)
  local last = tonumber(redis.call('GET', 'bf:last') or '')
  if not last or math.abs(now - last) > lease / 2 then redis.call('SET', 'bf:grace', now + lease) end
  redis.call('SET', 'bf:last', now)
end

-- Puts a chunk back to its place in the pending list, by number (R5). What comes back belongs near the head.
local function put_back(run, step, rest, n)
  if redis.call('SISMEMBER', 'bf:runs', run) == 0 then return end -- it is over
  local key, at = pending_key(run, step), 0
  while true do
    local page = redis.call('LRANGE', key, at, at + 99)
    for _, other in ipairs(page) do
      local m = tonumber(string.match(other, '#(%d+)$'))
      if m == n then return end
      if m > n then
        redis.call('LINSERT', key, 'BEFORE', other, rest)
        return
      end
    end
    if #page < 100 then break end
    at = at + 100
  end
  redis.call('RPUSH', key, rest)
end

local function forget_release(run, step, rest)
  redis.call('SREM', step_released_key(run, step), rest)
  return redis.call('SREM', released_key(run), step .. '/' .. rest)
end

-- Fills a run's window from its pending lists (R4): steps in pipeline order, each in its own order. Returns true when a step has
-- nothing left here, which is when the ledger should be asked to move the run on.
local function release(run, touched)
  local h = redis.call('HMGET', run_key(run), 'state', 'concurrency', 'queue', 'open')
  if h[1] ~= 'running' or not h[4] then return false end
  local free, queue, empty = tonumber(h[2]) - redis.call('SCARD', released_key(run)), h[3], false
  for step in string.gmatch(h[4], '%S+') do
    local own = tonumber(redis.call('HGET', step_key(run, step), 'concurrency'))
    local want = free
    if own and own > 0 then want = math.min(want, own - redis.call('SCARD', step_released_key(run, step))) end
    local chunks = want > 0 and redis.call('LPOP', pending_key(run, step), math.min(want, 1000)) or {}
    if chunks and #chunks > 0 then
      local members, jobs, rests = {}, {}, {}
      for i, rest in ipairs(chunks) do members[i] = step .. '/' .. rest end
      local there = redis.call('SMISMEMBER', released_key(run), unpack(members))
      members = {}
      for i, rest in ipairs(chunks) do
        if there[i] == 0 then -- else it is somewhere already; repair looks
          local k = #jobs + 1
          jobs[k], rests[k], members[k] = run .. '/' .. step .. '/' .. rest, rest, step .. '/' .. rest
        end
      end
      if #jobs > 0 then
        redis.call('SADD', released_key(run), unpack(members))
        redis.call('SADD', step_released_key(run, step), unpack(rests))
        redis.call('RPUSH', 'bf:queue:' .. queue, unpack(jobs))
      end
      touched[queue] = true
      free = free - #jobs
    elseif redis.call('SCARD', step_released_key(run, step)) == 0 and redis.call('LLEN', pending_key(run, step)) == 0 then
      empty = true
    end
  end
  return empty
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

local function release_and_wake(run)
  local touched = {}
  release(run, touched)
  for queue in pairs(touched) do wake(queue) end
end

local function count_running(run, step, by)
  if redis.call('EXISTS', run_key(run)) == 1 then
    redis.call('HINCRBY', run_key(run), 'running', by)
    redis.call('HINCRBY', step_key(run, step), 'running', by)
  end
end

-- Puts a job under a worker's name that was nobody's.
local function grant(worker, run, step, rest, now)
  redis.call('HSET', jobs_key(worker), run .. '/' .. step .. '/' .. rest, now)
  redis.call('SADD', released_key(run), step .. '/' .. rest)
  redis.call('SADD', step_released_key(run, step), rest)
  count_running(run, step, 1)
end

-- A job that is nobody's any more goes to the head of its queue if it is still released, else to its place in the pending list.
local function requeue(job)
  local run, step, rest, n = split(job)
  if not n then return nil end
  if redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 1 then
    local queue = redis.call('HGET', run_key(run), 'queue')
    if queue then
      redis.call('LPUSH', 'bf:queue:' .. queue, job)
      return queue
    end
  elseif redis.call('EXISTS', run_key(run)) == 1 then
    put_back(run, step, rest, n)
  end
  return nil
end

local function by_number_descending(a, b)
  return (tonumber(string.match(a, '#(%d+)$')) or 0) > (tonumber(string.match(b, '#(%d+)$')) or 0)
end

-- ---- exchange -----------------------------------------------------------------------------------------------------------

-- Acknowledgements of one kind: `verb` done | failed | skipped | cancelled (settled, counted), retry | later (delayed),
-- return (to its place in the order) or drop (no longer in the ledger). Only jobs that this worker still has are touched (R3).
local function acknowledge(worker, verb, delay, jobs, now, runs)
  local key = jobs_key(worker)
  local held = redis.call('HMGET', key, unpack(jobs))
  local mine = {}
  for i, job in ipairs(jobs) do
    if held[i] then mine[#mine + 1] = job end
  end
  if #mine == 0 then return end
  redis.call('HDEL', key, unpack(mine))
  local groups = {} -- run/step -> what belongs to it
  for _, job in ipairs(mine) do
    local run, step, rest, n = split(job)
    local id = run .. '/' .. step
    local g = groups[id]
    if not g then
      g = { run = run, step = step, members = {}, rests = {}, numbers = {}, jobs = {} }
      groups[id] = g
    end
    local i = #g.jobs + 1
    g.jobs[i], g.members[i], g.rests[i], g.numbers[i] = job, step .. '/' .. rest, rest, n
  end
  for _, g in pairs(groups) do
    local rkey, skey = run_key(g.run), step_key(g.run, g.step)
    runs[g.run] = true
    local keeps_place = (verb == 'retry' or verb == 'later') and redis.call('HGET', skey, 'chronological') == '1'
    local finished = 0
    if not keeps_place then
      finished = redis.call('SREM', released_key(g.run), unpack(g.members))
      redis.call('SREM', step_released_key(g.run, g.step), unpack(g.rests))
    end
    if redis.call('EXISTS', rkey) == 1 then
      redis.call('HINCRBY', rkey, 'running', -#g.jobs)
      redis.call('HINCRBY', skey, 'running', -#g.jobs)
      if verb == 'retry' or verb == 'later' then
        local due, args = now + delay, {}
        for _, job in ipairs(g.jobs) do
          args[#args + 1] = due
          args[#args + 1] = job
        end
        redis.call('ZADD', 'bf:delayed:' .. redis.call('HGET', rkey, 'queue'), unpack(args))
      elseif verb == 'return' then
        for i, rest in ipairs(g.rests) do put_back(g.run, g.step, rest, g.numbers[i]) end
      elseif verb ~= 'drop' and finished > 0 then
        redis.call('HINCRBY', rkey, verb, finished)
        redis.call('HINCRBY', skey, verb, finished)
      end
    end
  end
end

-- Jobs whose time has come: back to the head of the queue where they kept their place in the window, else to the pending list.
local function promote(queue, now, runs)
  local key = 'bf:delayed:' .. queue
  local due = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, PAGE)
  if #due == 0 then return end
  redis.call('ZREM', key, unpack(due))
  table.sort(due, by_number_descending)
  for _, job in ipairs(due) do
    requeue(job)
    local run = split(job)
    if run then runs[run] = true end
  end
end

-- Hands out up to `want` jobs of a queue to the worker. A run that is not running takes its jobs back; a run with a rate (R6, GCRA
-- with burst 1) gets its job delayed until it may start.
local function claim(worker, queue, want, now, known, claimed)
  local jobs = redis.call('LPOP', 'bf:queue:' .. queue, want)
  if not jobs then return 0 end
  local fields, running, n_claimed = {}, {}, 0
  for _, job in ipairs(jobs) do
    local run, step, rest, n = split(job)
    local h = n and known[run] or (not n and {})
    if not h then
      local v = redis.call('HMGET', run_key(run), 'state', 'interval_ms', 'tat')
      h = { state = v[1], interval = tonumber(v[2]) or 0, tat = tonumber(v[3]) or 0 }
      known[run] = h
    end
    if not n then -- not a job: dropped
    elseif h.state ~= 'running' and h.state ~= 'stopping' then -- of a stopping run, open says what becomes of it
      forget_release(run, step, rest)
      if h.state then put_back(run, step, rest, n) end
    elseif h.interval > 0 and now < h.tat then
      redis.call('ZADD', 'bf:delayed:' .. queue, h.tat, job)
    else
      if h.interval > 0 then
        h.tat = math.max(now, h.tat) + h.interval
        redis.call('HSET', run_key(run), 'tat', string.format('%.3f', h.tat))
      end
      fields[#fields + 1] = job
      fields[#fields + 1] = now
      claimed[#claimed + 1] = job
      n_claimed = n_claimed + 1
      local id = run .. '/' .. step
      running[id] = (running[id] or 0) + 1
    end
  end
  if n_claimed > 0 then redis.call('HSET', jobs_key(worker), unpack(fields)) end
  for id, count in pairs(running) do
    local run, step = string.match(id, '^([^/]+)/(.*)$')
    redis.call('HINCRBY', run_key(run), 'running', count)
    redis.call('HINCRBY', step_key(run, step), 'running', count)
  end
  return n_claimed
end

-- The one exchange (R2): finished jobs in, lease renewed, new jobs out. It is numbered; the same number again gets the same reply.
--   generation worker number lease_ms
--   groups { verb delay_ms count job… }…   runs { run }…   queues { queue want }…
-- -> ok, now, ms until the next delayed job (-1: none), {job…}, {run to ask the ledger about…}, {run state version …}
--  | generation <present> | unknown | condemned | resync <last number>
local function exchange(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local worker, number, lease, now = a[2], tonumber(a[3]), tonumber(a[4]), now_ms()
  notice_absence(now, lease)
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
    promote(queues[i].name, now, runs)
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
  for queue in pairs(touched) do wake(queue) end

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
  local now = now_ms()
  notice_absence(now, tonumber(a[3]))
  local key = worker_key(a[2])
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
--   generation worker number { job }…  -> ok {lost…} | generation <present> | unknown | condemned | resync <last number>
local function hold(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local worker, now = a[2], now_ms()
  local record = redis.call('HMGET', worker_key(worker), 'number', 'condemned')
  if record[2] then return { 'condemned' } end
  if not record[1] then return { 'unknown' } end
  if a[3] ~= record[1] then return { 'resync', tonumber(record[1]) } end
  local holds = {}
  for i = 4, #a do holds[a[i]] = true end
  local stray = {}
  for _, job in ipairs(redis.call('HKEYS', jobs_key(worker))) do
    if holds[job] then
      holds[job] = nil
    else
      stray[#stray + 1] = job
    end
  end
  table.sort(stray, by_number_descending)
  for _, job in ipairs(stray) do
    redis.call('HDEL', jobs_key(worker), job)
    local run, step = split(job)
    count_running(run, step, -1)
    local queue = requeue(job)
    if queue then wake(queue) end
  end
  local lost = {}
  for job in pairs(holds) do
    local run, step, rest = split(job)
    local queue = redis.call('HGET', run_key(run), 'queue')
    if queue then -- a run that Redis does not know yet is brought back by reconcile; the next hold list settles its jobs
      local free = redis.call('LREM', 'bf:queue:' .. queue, 1, job) == 1 or redis.call('ZREM', 'bf:delayed:' .. queue, job) == 1
      if not free and redis.call('LPOS', pending_key(run, step), rest, 'MAXLEN', 2000) then
        redis.call('LREM', pending_key(run, step), 1, rest)
        free = true
      end
      if free or redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 0 then
        grant(worker, run, step, rest, now)
      else
        lost[#lost + 1] = job
      end
    end
  end
  return { 'ok', lost }
end

-- Takes jobs from workers whose lease has ended (R7): condemned first, then moved in portions.  generation lease_ms
-- -> ok {worker…} (those that were condemned by this call or have jobs left)
local function sweep(_, a)
  local no = refuse(a[1], false)
  if no then return no end
  local now = now_ms()
  notice_absence(now, tonumber(a[2]))
  if now < tonumber(redis.call('GET', 'bf:grace') or '0') then return { 'ok', {} } end
  local swept = {}
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', 'bf:workers', '-inf', now, 'LIMIT', 0, 10)) do
    local key, jobs = worker_key(worker), jobs_key(worker)
    swept[#swept + 1] = worker
    redis.call('HSET', key, 'condemned', now)
    local found = redis.call('HSCAN', jobs, 0, 'COUNT', PAGE)[2]
    local list = {}
    for i = 1, #found, 2 do list[#list + 1] = found[i] end
    table.sort(list, by_number_descending)
    for _, job in ipairs(list) do
      if redis.call('HDEL', jobs, job) == 1 then
        local run, step = split(job)
        count_running(run, step, -1)
        local queue = requeue(job)
        if queue then wake(queue) end
      end
    end
    if redis.call('HLEN', jobs) == 0 then
      redis.call('ZREM', 'bf:workers', worker)
      redis.call('DEL', key .. ':reply', jobs)
      redis.call('EXPIRE', key, KEEP_TOMBSTONE)
      for queue in string.gmatch(redis.call('HGET', key, 'queues') or '', '%S+') do redis.call('SREM', 'bf:idle:' .. queue, worker) end
    end
  end
  return { 'ok', swept }
end

-- ---- runs ---------------------------------------------------------------------------------------------------------------

-- A step whose pending list was thrown away (an evicting server): there is none, and what is known of its jobs is fewer than were pushed.
local function has_lost_its_list(run, step)
  if redis.call('EXISTS', pending_key(run, step)) == 1 then return false end
  local known = redis.call('SCARD', step_released_key(run, step))
    + redis.call('ZCARD', 'bf:delayed:' .. (redis.call('HGET', run_key(run), 'queue') or ''))
  local h = redis.call('HMGET', step_key(run, step), 'pushed', 'done', 'failed', 'skipped', 'cancelled')
  for i = 2, 5 do known = known + tonumber(h[i] or '0') end
  return tonumber(h[1]) > known
end

-- Makes a run and its steps known, or brings them up to the ledger's word; the same call again changes nothing.
--   generation run n_fields { field value }… { step ordinal state planned concurrency chronological plan_number }…
-- -> ok {pushed of each step…}
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
  local open, pushed, planned = {}, {}, 0
  for i = 4 + 2 * n, #a, 7 do
    local step = a[i]
    local skey = step_key(run, step)
    redis.call('HSET', skey, 'ordinal', a[i + 1], 'state', a[i + 2], 'planned', a[i + 3], 'concurrency', a[i + 4], 'chronological', a[i + 5])
    for _, field in ipairs({ 'done', 'failed', 'skipped', 'running', 'pushed' }) do redis.call('HSETNX', skey, field, 0) end
    redis.call('PERSIST', skey)
    planned = planned + tonumber(a[i + 3])
    if redis.call('HGET', skey, 'plan_number') ~= a[i + 6] or (a[i + 2] == 'released' and has_lost_its_list(run, step)) then
      redis.call('UNLINK', pending_key(run, step))
      redis.call('HSET', skey, 'pushed', 0, 'plan_number', a[i + 6])
    end
    if a[i + 2] == 'released' then
      open[#open + 1] = step
    elseif a[i + 2] ~= 'waiting' then
      redis.call('UNLINK', pending_key(run, step))
    end
    pushed[#pushed + 1] = tonumber(redis.call('HGET', skey, 'pushed'))
  end
  redis.call('HSET', key, 'open', table.concat(open, ' '), 'planned', planned)
  redis.call('SADD', 'bf:runs', run)
  release_and_wake(run)
  return { 'ok', pushed }
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
  local list = {}
  local queue, released = redis.call('HGET', run_key(run), 'queue'), {}
  for _, rest in ipairs(redis.call('SMEMBERS', step_released_key(run, step))) do released[rest] = true end -- at most a window
  local some_delayed = redis.call('ZCARD', 'bf:delayed:' .. queue) > 0
  for i = 6, #a do
    local taken = released[a[i]]
      or (some_delayed and redis.call('ZSCORE', 'bf:delayed:' .. queue, run .. '/' .. step .. '/' .. a[i]))
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
  local run, nowhere = a[2], {}
  local queue = redis.call('HGET', run_key(run), 'queue')
  if not queue then return { 'ok', {} } end
  for i = 3, #a, 2 do
    local step, rest = a[i], a[i + 1]
    if redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 0
      and not redis.call('LPOS', pending_key(run, step), rest, 'MAXLEN', 1000)
      and not redis.call('ZSCORE', 'bf:delayed:' .. queue, run .. '/' .. step .. '/' .. rest)
      and tonumber(redis.call('HGET', step_key(run, step), 'pushed') or 0) >= tonumber(string.match(rest, '#(%d+)$')) then
      nowhere[#nowhere + 1] = (i - 1) / 2
    end
  end
  return { 'ok', nowhere }
end

-- Jobs that the ledger has as running, or as pending at the head of a step (worker ''). One that Redis has nowhere goes under its
-- worker's name if that one lives (its next hold list decides), else to its place in the pending list. While rebuilding, the
-- worker gets one fresh lease, for its own is among what was lost.
--   generation run lease_ms rebuilding { step chunk#n worker }…  -> ok <number put right>
local function adopt(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run, lease, rebuilding, now, put = a[2], tonumber(a[3]), a[4] == '1', now_ms(), 0
  if redis.call('EXISTS', run_key(run)) == 0 then return { 'ok', 0 } end
  for i = 5, #a, 3 do
    local step, rest, worker = a[i], a[i + 1], a[i + 2]
    local n = tonumber(string.match(rest, '#(%d+)$'))
    if redis.call('SISMEMBER', released_key(run), step .. '/' .. rest) == 0 then
      local job = run .. '/' .. step .. '/' .. rest
      local delayed = redis.call('ZSCORE', 'bf:delayed:' .. redis.call('HGET', run_key(run), 'queue'), job)
      local alive = worker ~= '' and tonumber(redis.call('ZSCORE', 'bf:workers', worker) or 0) > now
      if rebuilding and worker ~= '' and not alive then
        redis.call('ZADD', 'bf:workers', now + lease, worker)
        redis.call('HSETNX', worker_key(worker), 'number', 0)
        alive = true
      end
      if alive and not delayed then
        redis.call('LREM', pending_key(run, step), 1, rest)
        grant(worker, run, step, rest, now)
        put = put + 1
      elseif not delayed and tonumber(redis.call('HGET', step_key(run, step), 'pushed') or 0) >= n then
        local before = redis.call('LLEN', pending_key(run, step))
        put_back(run, step, rest, n)
        put = put + redis.call('LLEN', pending_key(run, step)) - before
      end
    end
  end
  release_and_wake(run)
  return { 'ok', put }
end

-- Jobs of a run that are released but in no queue, not delayed and under no worker (a lossy failover) go back to their places;
-- counters are set to the ledger's.  generation run { step done failed skipped cancelled }…  -> ok <number put back>
local function repair(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run = a[2]
  local queue = redis.call('HGET', run_key(run), 'queue')
  if not queue then return { 'ok', 0 } end
  local members, back = redis.call('SMEMBERS', released_key(run)), 0
  local running = {}
  local seen, n_seen = {}, 0
  for _, worker in ipairs(redis.call('ZRANGE', 'bf:workers', 0, -1)) do
    for _, job in ipairs(redis.call('HKEYS', jobs_key(worker))) do
      local of, step = split(job)
      if of == run then
        seen[job] = true
        n_seen = n_seen + 1
        running[step] = (running[step] or 0) + 1
      end
    end
  end
  if #members > n_seen then
    for _, job in ipairs(redis.call('LRANGE', 'bf:queue:' .. queue, 0, 20000)) do seen[job] = true end
    for _, member in ipairs(members) do
      local job = run .. '/' .. member
      if not seen[job] and not redis.call('ZSCORE', 'bf:delayed:' .. queue, job) and not redis.call('LPOS', 'bf:queue:' .. queue, job) then
        local _, step, rest, n = split(job)
        forget_release(run, step, rest)
        put_back(run, step, rest, n)
        back = back + 1
      end
    end
  end
  local sum = { done = 0, failed = 0, skipped = 0, cancelled = 0, running = 0 }
  for i = 3, #a, 5 do
    local step = a[i]
    redis.call('HSET', step_key(run, step), 'done', a[i + 1], 'failed', a[i + 2], 'skipped', a[i + 3], 'cancelled', a[i + 4], 'running', running[step] or 0)
    sum.done, sum.failed, sum.skipped = sum.done + a[i + 1], sum.failed + a[i + 2], sum.skipped + a[i + 3]
    sum.cancelled, sum.running = sum.cancelled + a[i + 4], sum.running + (running[step] or 0)
  end
  if a[3] then
    for field, value in pairs(sum) do redis.call('HSET', run_key(run), field, value) end
  end
  release_and_wake(run)
  return { 'ok', back }
end

-- A run that is over: its lists go, its hashes stay for a week.  generation run
local function end_run(_, a)
  local no = refuse(a[1], true)
  if no then return no end
  local run = a[2]
  redis.call('UNLINK', released_key(run))
  for step in string.gmatch(redis.call('HGET', run_key(run), 'steps') or '', '%S+') do
    redis.call('UNLINK', pending_key(run, step), step_released_key(run, step))
    redis.call('EXPIRE', step_key(run, step), KEEP_ENDED)
  end
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
      redis.call('UNLINK', step_key(run, a[i]), pending_key(run, a[i]), step_released_key(run, a[i]))
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
register('repair', repair)
register('end_run', end_run)
register('rebuild_begin', rebuild_begin)
register('rebuild_end', rebuild_end)
redis.register_function('bf_v1_push', push) -- the one that may be refused when Redis is full (R13)
