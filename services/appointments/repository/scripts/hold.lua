-- Keep a place for a while. The end is of this clock, which also decides whether it is over.
local early = answered() or fenced()
if early then return early end
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
redis.call('HSET', k.record, 'u', till, 'd', cjson.encode({members = members, holds = k.holds, by = a.by}))
redis.call('PEXPIRE', k.record, a.hold_ms + 60000)
redis.call('ZADD', k.holds, till, a.id)
local answer = (string.gsub(a.answer, '"expires_at":null', '"expires_at":' .. till))
if k.answer then
  redis.call('HSET', k.answer, 'f', a.fingerprint, 'a', answer)
  redis.call('PEXPIRE', k.answer, a.answers_kept_ms)
end
return {'ok', answer}
