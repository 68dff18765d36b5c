-- Keep a place for a while. The end is of this clock, which also decides whether it is over.
local early = answered() or fenced()
if early then return early end
-- Those that have ended leave the schedules here: more in each run than the one that this may add.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', k.held, '-inf', at_ms, 'LIMIT', 0, 50)) do end_hold(id) end
redis.call('ZREMRANGEBYSCORE', k.holds, '-inf', at_ms)
if redis.call('ZCARD', k.holds) >= a.most then
  return refused('limit_reached', cjson.encode({limit = 'holds', maximum = a.most}))
end
local seat, no = placed()
if no then return no end
local s = a.spot
local till = at_ms + a.hold_ms
local tail = ' ' .. s.first .. ' ' .. s.last .. ' '
local members = {{keys = k.doctor, member = a.id .. tail .. seat .. ' h'}}
enter(k.doctor, a.id, s.first, s.last, seat, 'h')
for _, days in ipairs(k.resources) do
  members[#members + 1] = {keys = days, member = a.id .. tail .. '0 h'}
  enter(days, a.id, s.first, s.last, 0, 'h')
end
local kept = {members = members, holds = k.holds, by = a.by, doctor = a.plan.doctor, first = s.first, last = s.last}
redis.call('HSET', k.record, 'u', till, 'd', cjson.encode(kept))
redis.call('ZADD', k.holds, till, a.id)
redis.call('ZADD', k.held, till, a.id)
local answer = (string.gsub(a.answer, '"expires_at":null', '"expires_at":' .. till))
if k.answer then
  redis.call('HSET', k.answer, 'f', a.fingerprint, 'a', answer)
  redis.call('PEXPIRE', k.answer, a.answers_kept_ms)
end
return {'ok', answer}
