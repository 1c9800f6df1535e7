/**
 * The scripts of the protocol. All keys of one call stand in one hash slot, except in `inv` and `tok`, which take
 * several slots at once only where there is a single node. They run on the miss path and for writes; hits use MGET.
 *
 * Offsets are those of `core/entry.ts` (Lua counts from 1): fill id 9–24, birth 25–32, version 33–40. Birth is
 * written into an entry that is stored already: putting it together of parts would copy all of it in Lua.
 */

/** KEYS T…; ARGV ttlMs, random… → the tokens. Missing ones are created; one past half its life is renewed (PEXPIRE is announced, so not on every read). */
const tok = `
local out = {}
local ttl = tonumber(ARGV[1])
for i, key in ipairs(KEYS) do
  local token = redis.pcall('GET', key)
  if type(token) == 'table' then
    redis.call('UNLINK', key)
    token = false
  end
  if not token then
    token = ARGV[i + 1]
    redis.call('SET', key, token, 'PX', ttl)
  elseif redis.call('PTTL', key) < ttl / 2 then
    redis.call('PEXPIRE', key, ttl)
  end
  out[i] = token
end
return out`;

/** KEYS D, L; ARGV token, leaseMs, seenFillId → {1, entry} unless it is the one that was seen, {2} lease taken, {3, ms} busy. */
const getl = `
local entry = redis.pcall('GET', KEYS[1])
if type(entry) == 'table' and entry.err then
  redis.call('UNLINK', KEYS[1])
elseif entry and string.sub(entry, 9, 24) ~= ARGV[3] then
  return {1, entry}
end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {2} end
return {3, redis.call('PTTL', KEYS[2])}`;

/** KEYS D, L; ARGV token, entry, ttlMs → 1, or 0 when the lease is not ours any more. */
const fill = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('SETRANGE', KEYS[1], 24, struct.pack('>d', time[1] * 1000 + math.floor(time[2] / 1000)))
redis.call('DEL', KEYS[2])
return 1`;

/** KEYS L; ARGV token, leaseMs → 1, or 0 when the lease is not ours any more. */
const renew = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`;

/** KEYS L; ARGV token. */
const rel = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/**
 * Removes the data and the lease of a key. Trackers hear of D when it was there. When it was not, but somebody is
 * loading it, they must hear of it too: the lease is renamed to D for a moment. Renaming and removing need no memory,
 * so this works when Redis is full.
 */
const removeKey = `
local function removeKey(d, x, l, k)
  local announced = redis.call('UNLINK', d)
  redis.call('UNLINK', x, k)
  if redis.call('EXISTS', l) == 1 then
    if announced == 0 then
      redis.call('RENAME', l, d)
      redis.call('UNLINK', d)
    else
      redis.call('UNLINK', l)
    end
  end
end`;

/** KEYS (D, X, L, K)…, T…; ARGV number of quadruples. Tokens go in the order given. */
const inv = `${removeKey}
local last = tonumber(ARGV[1]) * 4
for i = 1, last, 4 do removeKey(KEYS[i], KEYS[i + 1], KEYS[i + 2], KEYS[i + 3]) end
for i = last + 1, #KEYS do redis.call('UNLINK', KEYS[i]) end
return 1`;

/**
 * KEYS (D, X, L, K)…; ARGV deadline in server ms, version, then for each quadruple which of its keys takes the entry (1 or
 * 2), entry, ttlMs → for each 1 stored, -1 too late (the caller has long given up), -2 a newer version is there. One
 * that is older stops none of the others. Writing D announces it; only where X takes the entry has D to go. What has to go
 * beside D goes at once, and first: a full server lets a script go on that has removed something.
 */
const setd = `${removeKey}
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local late = now > tonumber(ARGV[1])
local version = tonumber(ARGV[2])
local birth = struct.pack('>d', now)
local function isOlder(target)
  if version <= 0 then return false end
  local stored = redis.pcall('GETRANGE', target, 32, 39)
  return type(stored) == 'string' and #stored == 8 and struct.unpack('>d', stored) > version
end
local count, out, gone = #KEYS / 4, {}, {}
for i = 1, count do
  local first, which = 4 * i - 4, tonumber(ARGV[3 * i])
  if late then
    out[i] = -1
  elseif isOlder(KEYS[first + which]) then
    out[i] = -2
  elseif which == 1 then
    for other = 2, 4 do gone[#gone + 1] = KEYS[first + other] end
  else
    removeKey(KEYS[first + 1], KEYS[first + 2], KEYS[first + 3], KEYS[first + 4])
  end
end
if #gone > 0 then redis.call('UNLINK', unpack(gone)) end
for i = 1, count do
  if not out[i] then
    local target = KEYS[4 * i - 4 + tonumber(ARGV[3 * i])]
    redis.call('SET', target, ARGV[3 * i + 1], 'PX', ARGV[3 * i + 2])
    redis.call('SETRANGE', target, 24, birth)
    out[i] = 1
  end
end
return out`;

/** KEYS W, E, C, R; ARGV round, leaseMs, keepMs → {0} the round is over, {1} somebody leads, {2, epoch, progress?} the lead is taken. */
const lead = `
local over = redis.call('GET', KEYS[4])
if over and tonumber(over) >= tonumber(ARGV[1]) then return {0} end
if redis.call('EXISTS', KEYS[1]) == 1 then return {1} end
local epoch = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('SET', KEYS[1], epoch, 'PX', ARGV[2])
return {2, epoch, redis.call('GET', KEYS[3]) or nil}`;

/** KEYS W, E, C; ARGV epoch, leaseMs, progress, keepMs → 1, or 0 when a later epoch has begun. */
const keep = `
local latest = redis.call('GET', KEYS[2])
if latest ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[3], ARGV[3], 'PX', ARGV[4])
return 1`;

/** KEYS W, E, C, R; ARGV epoch, round or '', keepMs → 1, or 0 when a later epoch has begun. */
const quit = `
local latest = redis.call('GET', KEYS[2])
if latest ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
if ARGV[2] ~= '' then
  redis.call('UNLINK', KEYS[3])
  redis.call('SET', KEYS[4], ARGV[2], 'PX', ARGV[3])
end
return 1`;

/** KEYS Z, D; ARGV keep, ttlMs, halfLifeMs, (member, score)… → how many there are. */
const rank = `
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[3]) and redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('ZUNIONSTORE', KEYS[1], 1, KEYS[1], 'WEIGHTS', '0.5')
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(0.5')
end
for i = 4, #ARGV, 2 do redis.call('ZINCRBY', KEYS[1], ARGV[i + 1], ARGV[i]) end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])`;

const nowMs = `local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)`;

/** Notices that are too old go, and with them instances that are gone. */
const prune = `local all = redis.call('HGETALL', KEYS[1])
local young = {}
for i = 1, #all, 2 do
  local ageMs = now - tonumber(string.match(all[i + 1], '^%d+'))
  if ageMs > ttlMs then
    redis.call('HDEL', KEYS[1], all[i])
  else
    young[#young + 1] = all[i]
    young[#young + 1] = ageMs
    young[#young + 1] = string.sub(all[i + 1], string.find(all[i + 1], ' ', 1, true) + 1)
  end
end`;

/** KEYS B; ARGV instance, text or '', ttlMs, maxNotices → 1, or 0 when there is no room. */
const post = `
if ARGV[2] == '' then redis.call('HDEL', KEYS[1], ARGV[1]) return 1 end
local ttlMs = tonumber(ARGV[3])
${nowMs}
if redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  ${prune}
  if #young >= 3 * tonumber(ARGV[4]) and redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f ', now) .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`;

/** KEYS B; ARGV ttlMs → {instance, ageMs, text, …}. */
const board = `
local ttlMs = tonumber(ARGV[1])
${nowMs}
${prune}
return young`;

export const scripts = {
  tok: { lua: tok },
  getl: { lua: getl, numberOfKeys: 2 },
  fill: { lua: fill, numberOfKeys: 2 },
  renew: { lua: renew, numberOfKeys: 1 },
  rel: { lua: rel, numberOfKeys: 1 },
  inv: { lua: inv },
  setd: { lua: setd },
  lead: { lua: lead, numberOfKeys: 4 },
  keep: { lua: keep, numberOfKeys: 3 },
  quit: { lua: quit, numberOfKeys: 4 },
  rank: { lua: rank, numberOfKeys: 2 },
  post: { lua: post, numberOfKeys: 1 },
  board: { lua: board, numberOfKeys: 1 },
} as const;
