#!lua name=bf_v1_keys
-- revision 1
--
-- What each key of the queue has to be: its type, and what may stand in it (docs/queue.md, "All keys").
--
-- Redis is disposable. What nobody can read is named (`inspect` only looks) and thrown away (`discard`): single
-- members are taken out, a key that is wrong as a whole goes. Where that key says which jobs there are, the
-- generation goes with it, and the whole queue is rebuilt from the ledger (PROTOCOL R16). Everything else comes
-- back by itself: workers introduce themselves, say what they hold, and renew their leases.

local PAGE = { all = 1000, heads = 100 } -- members of a key that are read at once; of heads, that is all of them
local LEASE_MAX = 3600000 -- the longest that BF_LEASE may be
local DELAY_MAX = 366 * 86400000 -- nothing is put off for longer
local SHOWN = 80 -- characters of a member that are shown

-- ---- what may stand in a key ------------------------------------------------------------------------------------

local function is_integer(text) return #text <= 15 and string.match(text, '^%-?%d+$') ~= nil end
local function is_number(text) return #text <= 24 and string.match(text, '^%-?%d+%.?%d*$') ~= nil end
local function is_run(text) return #text <= 64 and string.match(text, '^[a-z0-9][a-z0-9.-]*$') ~= nil end
local function is_rest(text) return string.match(text, '^.+#%d+$') ~= nil and string.find(text, '#%d+$', -11) ~= nil end
local function is_member(text) return is_rest(text) and string.match(text, '^[^/]+/.+$') ~= nil end
local function is_job(text) return is_rest(text) and string.match(text, '^[^/]+/[^/]+/.+$') ~= nil end

local RUN_FIELDS = { 'version', 'concurrency', 'planned', 'done', 'failed', 'skipped', 'cancelled', 'running' }
local STEP_FIELDS = { 'ordinal', 'concurrency', 'pushed', 'plan_number', 'planned', 'done', 'failed', 'skipped', 'cancelled', 'running' }

-- The table: key, type, whether the queue is rebuilt when it is thrown away, and what is asked of its content:
--   value: of a string;  each: of a member, called `noun`;  integers, needed: fields of a hash;  latest: of a score;
--   lease: its scores are ends of leases;  tat: its field `tat` is when a job of the run may start next.
local function shared_keys(now)
  return {
    { key = 'bf:generation', type = 'string', remake = true, value = is_integer },
    { key = 'bf:rebuilding', type = 'string', value = is_integer },
    { key = 'bf:clock', type = 'string', value = is_number },
    { key = 'bf:last', type = 'string', value = is_number },
    { key = 'bf:grace', type = 'string', value = is_number, latest = now + LEASE_MAX },
    { key = 'bf:runs', type = 'set', remake = true, each = is_run, noun = 'run' },
    { key = 'bf:workers', type = 'zset', remake = true, latest = now + LEASE_MAX, lease = true, noun = 'worker' },
  }
end

local function queue_keys(now, queue)
  return {
    { key = 'bf:queue:' .. queue, type = 'list', remake = true, each = is_job, noun = 'job' },
    { key = 'bf:delayed:' .. queue, type = 'zset', remake = true, each = is_job, noun = 'job', latest = now + DELAY_MAX },
    { key = 'bf:idle:' .. queue, type = 'set' },
    { key = 'bf:wake:' .. queue, type = 'list' },
  }
end

local function run_keys(now, run, steps)
  local key = 'bf:run:' .. run
  local keys = {
    { key = key, type = 'hash', remake = true, integers = RUN_FIELDS, needed = { 'state', 'queue', 'concurrency' }, tat = now },
    { key = key .. ':released', type = 'set', remake = true, each = is_member, noun = 'job' },
  }
  for _, step in ipairs(steps) do
    local n = #keys
    keys[n + 1] = { key = key .. ':step:' .. step, type = 'hash', remake = true, integers = STEP_FIELDS, needed = {} }
    keys[n + 2] = { key = key .. ':pending:' .. step, type = 'list', remake = true, each = is_rest, noun = 'chunk' }
    keys[n + 3] = { key = key .. ':returned:' .. step, type = 'zset', remake = true, each = is_rest, noun = 'chunk' }
    keys[n + 4] = { key = key .. ':released:' .. step, type = 'set', remake = true, each = is_rest, noun = 'chunk' }
  end
  return keys
end

local function type_of(key) return redis.call('TYPE', key).ok end

-- A worker, and the queues that it says it serves.
local function worker_keys(now, id)
  local key = 'bf:worker:' .. id
  local keys = {
    { key = key, type = 'hash', integers = { 'number', 'pid', 'slots', 'lease_ms' }, needed = {} },
    { key = key .. ':jobs', type = 'hash', each = is_job, noun = 'job' },
    { key = key .. ':reply', type = 'string' },
  }
  local queues = type_of(key) == 'hash' and redis.call('HGET', key, 'queues') or ''
  for queue in string.gmatch(queues, '%S+') do
    for _, of_queue in ipairs(queue_keys(now, queue)) do keys[#keys + 1] = of_queue end
  end
  return keys
end

local function keys_of(scope, now, name, steps)
  if scope == 'shared' then return shared_keys(now) end
  if scope == 'queue' then return queue_keys(now, name) end
  if scope == 'worker' then return worker_keys(now, name) end
  return run_keys(now, name, steps)
end

-- ---- what is wrong with it --------------------------------------------------------------------------------------

-- The queue's clock (bf_v1.lua), as far as it can be read.
local function now_ms()
  local t = redis.call('TIME')
  local jump = type_of('bf:clock') == 'string' and tonumber(redis.call('GET', 'bf:clock')) or 0
  return t[1] * 1000 + math.floor(t[2] / 1000) + jump
end

local function shown(text)
  local clean = string.gsub(string.sub(text, 1, SHOWN), '[^\32-\126]', '?')
  return #text > SHOWN and clean .. '…' or clean
end

local function article(word) return (string.find(word, '^[aeiou]') and 'an ' or 'a ') .. word end

-- What is wrong with a key as a whole; nil: nothing.
local function fault_of(entry)
  local found = type_of(entry.key)
  if found == 'none' then return nil end
  if found ~= entry.type then return 'is ' .. article(found) .. ', and has to be ' .. article(entry.type) end
  if entry.value then
    local text = redis.call('GET', entry.key)
    if not entry.value(text) then return 'is "' .. shown(text) .. '", and has to be a number' end
    if entry.latest and tonumber(text) > entry.latest then return 'lies further ahead than the longest lease' end
  end
  for _, field in ipairs(entry.integers or {}) do
    local text = redis.call('HGET', entry.key, field)
    if text and not is_integer(text) then return 'has the ' .. field .. ' "' .. shown(text) .. '", which has to be a number' end
  end
  for _, field in ipairs(entry.needed or {}) do
    if redis.call('HEXISTS', entry.key, field) == 0 then return 'has no ' .. field end
  end
end

local function by_place(entry) return entry.type == 'list' or entry.type == 'zset' end

-- About `count` members of a key, and where the next page begins (nil: there is none).
local function page_of(entry, cursor, count)
  if by_place(entry) then
    local last = cursor + count - 1
    local page = redis.call(entry.type == 'list' and 'LRANGE' or 'ZRANGE', entry.key, cursor, last)
    return page, #page == count and string.format('%d', last + 1) or nil
  end
  local is_set, items = entry.type == 'set', {}
  local page = redis.call(is_set and 'SSCAN' or 'HSCAN', entry.key, cursor, 'COUNT', count)
  for i = 1, #page[2], is_set and 1 or 2 do items[#items + 1] = page[2][i] end -- a field is followed by its value
  return items, page[1] ~= '0' and page[1] or nil
end

local function too_late_to_start(entry)
  local h = redis.call('HMGET', entry.key, 'tat', 'interval_ms')
  local tat, interval = h[1], tonumber(h[2] or '0') or 0
  return tat and not (is_number(tat) and tonumber(tat) <= entry.tat + math.max(interval, LEASE_MAX))
end

-- ---- naming and throwing away ---------------------------------------------------------------------------------------

local function take_out(entry, members)
  for _, member in ipairs(members) do
    if entry.type == 'list' then
      redis.call('LREM', entry.key, 0, member)
    elseif entry.type == 'hash' then
      redis.call('HDEL', entry.key, member)
    else
      redis.call(entry.type == 'set' and 'SREM' or 'ZREM', entry.key, member)
    end
  end
end

local function name(out, entry, what, whole)
  out[#out + 1], out[#out + 2], out[#out + 3] = entry.key, what, whole and 1 or 0
end

-- Looks at a page of a key's members, and takes out what is none with `lease`. Returns where the next page begins
-- (nil: there is none).
local function look_at_members(entry, cursor, count, lease, out)
  local items, next_cursor = page_of(entry, cursor, count)
  local strange = {}
  for _, item in ipairs(items) do
    if not entry.each(item) then strange[#strange + 1] = item end
  end
  if #strange > 1 then
    name(out, entry, 'has ' .. #strange .. ' members that are no ' .. entry.noun .. 's, such as ' .. shown(strange[1]))
  elseif #strange == 1 then
    name(out, entry, 'has a member that is no ' .. entry.noun .. ': ' .. shown(strange[1]))
  end
  if not lease or #strange == 0 then return next_cursor end
  take_out(entry, strange)
  return next_cursor and by_place(entry) and cursor or next_cursor -- what stood behind them has moved up
end

-- Times that no job and no worker can have: the job would never be due, the worker's jobs never anybody else's.
local function look_at_times(entry, count, now, lease, out)
  local late = redis.call('ZRANGEBYSCORE', entry.key, string.format('(%d', entry.latest), '+inf', 'LIMIT', 0, count)
  if #late == 0 then return end
  name(out, entry, 'has a time too far ahead for ' .. entry.noun .. ' ' .. shown(late[1]))
  if not lease then return end
  if not entry.lease then return take_out(entry, late) end
  for _, worker in ipairs(late) do redis.call('ZADD', entry.key, 'XX', now + lease, worker) end
end

-- A key as a whole; true: its members may be looked at.
local function look_at_key(entry, count, now, lease, out)
  local fault = fault_of(entry)
  if fault then
    name(out, entry, fault, true)
    if lease then redis.call('UNLINK', entry.key) end
    if lease and entry.remake then redis.call('DEL', 'bf:generation') end
  elseif entry.tat and too_late_to_start(entry) then
    name(out, entry, 'has a tat too far ahead: no job of the run would start')
    if lease then redis.call('HDEL', entry.key, 'tat') end
  elseif entry.type == 'zset' and entry.latest then
    look_at_times(entry, count, now, lease, out)
  end
  return not fault and entry.each
end

-- Looks at the keys of a scope, from `from` on ('' at first), as far as one call may.
local function look(a, lease, at)
  local how, from, now, out, steps = a[at], a[at + 1], now_ms(), {}, {}
  local count = PAGE[how]
  for i = at + 4, #a do steps[#steps + 1] = a[i] end
  local keys = keys_of(a[at + 2], now, a[at + 3], steps)
  local first, cursor = string.match(from, '^(%d+):(%d+)$')
  for i = tonumber(first or '1'), #keys do
    local entry = keys[i]
    if (cursor or look_at_key(entry, count, now, lease, out)) and type_of(entry.key) == entry.type then
      cursor = look_at_members(entry, cursor or '0', count, lease, out)
      if cursor and how == 'all' then return { 'ok', i .. ':' .. cursor, out } end
    end
    cursor = nil
  end
  return { 'ok', '', out }
end

-- Names what is wrong with the keys of one scope: shared '' | queue <q> | worker <id> | run <run> {step}…
-- how: all of their members, or `heads`, some of them.
--   all|heads from scope name { step }…  -> ok <from where to go on; ''> {key, what, 1 if all of the key is lost…}
local function inspect(_, a) return look(a, nil, 1) end

-- The same, and throws it away. A worker whose lease cannot be gets one of lease_ms that begins now.
--   lease_ms all|heads from scope name { step }…
local function discard(_, a) return look(a, tonumber(a[1]), 2) end

redis.register_function({ function_name = 'bf_v1_inspect', callback = inspect, flags = { 'no-writes' } })
redis.register_function({ function_name = 'bf_v1_discard', callback = discard, flags = { 'allow-oom' } })
