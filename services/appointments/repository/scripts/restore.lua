-- Put records back from the journal; a newer one that is there already stays, an older one is taken out with its entries.
for _, each in ipairs(a.records) do
  local there = redis.call('HGET', each.record, 'v') or '0'
  if there == each.known and tonumber(there) < tonumber(each.version) then
    leave(each.leaves)
    redis.call('HSET', each.record, 'v', each.version, 'd', each.data)
    for _, entry in ipairs(each.enters) do
      for _, key in ipairs(entry.keys) do redis.call('ZADD', key, entry.first, entry.member) end
    end
    redis.call('SADD', k.doctors, each.doctor)
  end
end
for _, each in ipairs(a.answers) do
  redis.call('HSET', each.key, 'f', each.fingerprint, 'a', each.answer)
  redis.call('PEXPIRE', each.key, each.left_ms)
end
for _, each in ipairs(a.plans) do
  local there = redis.call('HGET', k.plans, each.field)
  if not there or tonumber(there) < tonumber(each.version) then
    for _, old in ipairs(cjson.decode(redis.call('HGET', k.plans, each.field .. ':closed') or '{}')) do
      redis.call('ZREM', old.key, old.member)
    end
    redis.call(
      'HSET', k.plans, each.field, each.version,
      each.field .. ':change', each.change, each.field .. ':closed', each.closed
    )
    for _, entry in ipairs(each.enters) do redis.call('ZADD', entry.key, entry.first, entry.member) end
  end
end
return {'ok', ''}
