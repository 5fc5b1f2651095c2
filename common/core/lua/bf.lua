#!lua name=bf
-- revision 2
--
-- Helpers for people: they only read.  FCALL_RO bf_status 0 <run>

local function fields(key)
  local flat, h = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do h[flat[i]] = flat[i + 1] end
  return h
end

-- One run in plain words: a line for the run, one for each step, one for what is waiting for its time.
local function status(_, a)
  local run = a[1]
  if not run then return redis.error_reply('ERR say which run: FCALL_RO bf_status 0 <run>') end
  local h = fields('bf:run:' .. run)
  if not h.state then return { 'There is no run ' .. run .. ' in this queue. The ledger knows all runs: bfstat' } end
  local lines = {}
  local function number(t, field) return tonumber(t[field] or 0) end
  local over = number(h, 'done') + number(h, 'failed') + number(h, 'skipped') + number(h, 'cancelled')
  lines[1] = string.format('%s is %s: %d of %d jobs settled (%d done, %d failed, %d skipped, %d cancelled), %d running', run, h.state, over,
    number(h, 'planned'), number(h, 'done'), number(h, 'failed'), number(h, 'skipped'), number(h, 'cancelled'), number(h, 'running'))
  local steps = {}
  for step in string.gmatch(h.steps or '', '%S+') do
    local s = fields('bf:run:' .. run .. ':step:' .. step)
    steps[#steps + 1] = string.format('%s is %s: %d of %d done, %d failed, %d running, %d waiting in the pending list', step, s.state or 'unknown',
      number(s, 'done'), number(s, 'planned'), number(s, 'failed'), number(s, 'running'), 
      redis.call('LLEN', 'bf:run:' .. run .. ':pending:' .. step) + redis.call('ZCARD', 'bf:run:' .. run .. ':returned:' .. step))
  end
  for _, line in ipairs(steps) do lines[#lines + 1] = line end
  lines[#lines + 1] = string.format('queue %s: %d jobs ready, %d delayed', h.queue, redis.call('LLEN', 'bf:queue:' .. h.queue),
    redis.call('ZCARD', 'bf:delayed:' .. h.queue))
  return lines
end

redis.register_function({ function_name = 'bf_status', callback = status, flags = { 'no-writes' } })
