-- Give a held place back, with the trace of it. Only who holds it.
if not hold_lives(a.hold) then return refused('not_found') end
end_hold(a.hold)
redis.call('XADD', k.out, '*', 'e', a.entry)
return {'ok', ''}
