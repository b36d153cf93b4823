/** Version of what is stored and published. A scope that was stored in another one counts as lost: it begins anew. */
export const FORMAT = 1

/**
 * Everything that is done to a scope in Redis: one script, the same for every call, all data in its arguments.
 *
 * A scope is one sorted set, so that an eviction, an expiry or a flush loses all of it or nothing. Its members:
 *
 * - each tag in canonical form, with the `seq` of its latest invalidation as score: the set is the log, compacted by tag;
 * - `!<format> <epoch> <fence> <top> <floor> <bytes>`, the state of the log, with a negative score, so that it is the first and tags are the range
 *   `(0 +inf`. No tag's JSON begins with `!`.
 *
 * The fence names the server and its history: run id and replication id. Whenever it is another one, this server was restarted or promoted, or
 * the data come from elsewhere, and may lack what was acknowledged: a new epoch begins. Read inside of the script, because a connection may lead to
 * another server at any time.
 *
 * An epoch ends with a digest of the fence, so that every position tells of which history it is ({@link historyOf}).
 *
 * Arguments: operation, epoch to begin if one has to, time to live in milliseconds, and the operation's own. Numbers are written with
 * `%.0f`: Lua would round what has more than 14 digits.
 */
export const SCRIPT: string = `
local op, candidate, ttl = ARGV[1], ARGV[2], tonumber(ARGV[3])
local function text(number) return string.format('%.0f', number) end

local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local history = string.match(redis.call('INFO', 'replication'), 'master_replid:(%w+)')
if not run or not history then
  return redis.error_reply('QUERYTAGS INFO tells no run_id and master_replid here')
end
local fence = run .. history
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]

local function describe(epoch, top, floor, bytes)
  return '!${FORMAT} ' .. epoch .. ' ' .. fence .. ' ' .. text(top) .. ' ' .. text(floor) .. ' ' .. text(bytes)
end

local function open(key)
  local state = redis.call('ZRANGE', key, '0', '0')[1] or ''
  local epoch, top, floor, bytes = string.match(state, '^!${FORMAT} ([%w_-]+) ' .. fence .. ' (%d+) (%d+) (%d+)$')
  if op == 'renew' or not epoch then
    redis.call('UNLINK', key)
    epoch = candidate .. '-' .. string.sub(redis.sha1hex(fence), 1, 12)
    top, floor, bytes = now, now, 0
    state = describe(epoch, top, floor, bytes)
    redis.call('ZADD', key, '-1', state)
  end
  if redis.call('PTTL', key) < ttl * 0.9 then redis.call('PEXPIRE', key, text(ttl)) end
  return epoch, tonumber(top), tonumber(floor), tonumber(bytes), state
end

if op == 'head' or op == 'renew' then
  local heads = {text(now)}
  for _, key in ipairs(KEYS) do
    local epoch, top = open(key)
    heads[#heads + 1] = epoch
    heads[#heads + 1] = text(top)
  end
  return heads
end

local key = KEYS[1]
if op == 'delete' then
  redis.call('UNLINK', key)
  return {text(now)}
end

local epoch, top, floor, bytes, state = open(key)

if op == 'since' then
  local from = tonumber(ARGV[5])
  if ARGV[4] == '' then from = math.min(now - from, top)
  elseif ARGV[4] ~= epoch then from = -1 end
  if from < floor or from > top then return {text(now), epoch, text(top)} end
  return {text(now), epoch, text(top), text(from),
    redis.call('ZRANGEBYSCORE', key, '(' .. text(from), '+inf', 'WITHSCORES')}
end

local publish, maxTags, maxBytes = ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6])
local seq = math.max(top + 1, now)
local tags, scored = {}, {}
for i = 7, #ARGV do
  local tag = ARGV[i]
  tags[#tags + 1] = tag
  scored[#scored + 1] = text(seq)
  scored[#scored + 1] = tag
  if not redis.call('ZSCORE', key, tag) then bytes = bytes + #tag + 96 end
end
redis.call('ZADD', key, unpack(scored))

local known = floor
local over = redis.call('ZCARD', key) - 1 - maxTags
while over > 0 or bytes > maxBytes do
  local oldest = redis.call('ZRANGEBYSCORE', key, '(0', '+inf', 'WITHSCORES', 'LIMIT', '0',
    text(math.max(1, math.min(over, 1000))))
  if #oldest == 0 then break end
  local gone = {}
  for i = 1, #oldest, 2 do
    gone[#gone + 1] = oldest[i]
    bytes = bytes - #oldest[i] - 96
    floor = math.max(floor, tonumber(oldest[i + 1]))
  end
  redis.call('ZREM', key, unpack(gone))
  over = over - #gone
end
redis.call('ZREM', key, state)
redis.call('ZADD', key, '-1', describe(epoch, seq, floor, math.max(0, bytes)))

redis.call(publish, key, '{"format":${FORMAT},"epoch":"' .. epoch .. '","prev":' .. text(top) .. ',"seq":' .. text(seq) ..
  ',"tags":[' .. table.concat(tags, ',') .. ']}')
return {text(now), epoch, text(seq), text(floor - known)}
`

/** Which server, with which history, an epoch began on. */
export function historyOf(epoch: string): string {
  return epoch.slice(epoch.lastIndexOf('-') + 1)
}
