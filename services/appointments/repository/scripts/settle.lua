-- A change that takes no place: a request, a cancellation, an arrival, a correction.
local early = answered() or fenced() or versioned()
if early then return early end
local no = welcome()
if no then return no end
local done = keep(a.seat or 0)
for _, each in ipairs(a.enters) do
  enter(each.keys, a.id, each.first, each.last, each.seat, each.taking)
end
redis.call('SADD', k.doctors, a.doctor)
return done
