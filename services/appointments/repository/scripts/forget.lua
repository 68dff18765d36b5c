-- Take what is over out of the schedules, when the journal has the very version that is here.
for _, each in ipairs(a.gone) do
  if redis.call('HGET', each.record, 'v') == each.version then
    leave(each.members)
    redis.call('DEL', each.record)
  end
end
return {'ok', ''}
