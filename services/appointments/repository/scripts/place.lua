-- Book, approve, or move to another place: everything is checked and written in this one step.
local early = answered() or fenced() or versioned()
if early then return early end
if a.hold and not (hold_lives(a.hold) and hold_covers(a.hold)) then return refused('hold_over') end
local seat, no = placed()
if no then return no end
no = welcome()
if no then return no end
if a.hold then end_hold(a.hold) end
local done = keep(seat)
local s = a.spot
local taking = 'b'
if s.over then taking = 'x' end
enter(k.doctor, a.id, s.first, s.last, seat, taking)
for _, days in ipairs(k.resources) do enter(days, a.id, s.first, s.last, 0, taking) end
enter({k.patient}, a.id, s.first, s.last, seat, taking)
redis.call('SADD', k.doctors, a.doctor)
return done
