-- Make a plan the one that bookings are decided on. Whoever read the one before is refused from here on.
if redis.call('EXISTS', k.origin) == 0 then return refused('records_lost') end
local known = redis.call('HMGET', k.plans, a.field, a.field .. ':change', a.field .. ':closed')
if known[2] then
  local last = cjson.decode(known[2])
  if last.change == a.change then return {'ok', last.answer} end
end
if known[1] and tonumber(known[1]) >= tonumber(a.version) then return refused('superseded', known[1]) end

-- The appointments ahead that would not fit.
local clashing, more = {}, false
local function clash(each, doctor)
  if #clashing < 200 then
    clashing[#clashing + 1] = {id = each.id, doctor = doctor, first = each.first, last = each.last}
  else
    more = true
  end
end

local seen = {}
local function ahead(key, fits, doctor)
  for _, member in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    local each = parsed(member)
    if not seen[each.id] and (each.taking == 'b' or each.taking == 'x') and each.last > a.first and not fits(each) then
      seen[each.id] = true
      clash(each, doctor)
    end
  end
end

if a.windows then
  local function inside(each)
    local low, high = 1, #a.windows
    while low <= high do
      local middle = math.floor((low + high) / 2)
      local window = a.windows[middle]
      if each.first < window[1] then
        high = middle - 1
      elseif each.first >= window[2] then
        low = middle + 1
      else
        return each.last <= window[2]
      end
    end
    return false
  end
  for _, day in ipairs(k.days) do ahead(day, inside, a.field) end
else
  local doctors = redis.call('SMEMBERS', k.doctors)
  for _, closed in ipairs(a.fresh) do
    local function apart(each)
      if each.first >= closed.last or closed.first >= each.last then return true end
      if closed.scope == 'facility' then return false end
      local record = cjson.decode(redis.call('HGET', a.tag .. ':a:' .. each.id, 'd'))
      if closed.scope == 'location' then return string.gsub(record.location_id, '-', '') ~= closed.of end
      for _, resource in ipairs(record.resource_ids) do
        if string.gsub(resource, '-', '') == closed.of then return false end
      end
      return true
    end
    for _, doctor in ipairs(doctors) do
      for _, day in ipairs(closed.days) do ahead(a.tag .. ':d:' .. doctor .. ':' .. day, apart, doctor) end
    end
  end
end
if a.refuse and #clashing > 0 then
  return refused('clashes', cjson.encode({clashing = clashing, more = more}))
end

-- What is closed now takes the place of what was closed before.
if known[3] then
  for _, each in ipairs(cjson.decode(known[3])) do redis.call('ZREM', each.key, each.member) end
end
local closed = {}
for _, each in ipairs(a.closed) do
  local member = each.id .. ' ' .. each.first .. ' ' .. each.last .. ' 0 l'
  for _, key in ipairs(each.keys) do
    redis.call('ZADD', key, each.first, member)
    closed[#closed + 1] = {key = key, member = member}
  end
end
local answer = cjson.encode({clashing = clashing, more = more})
redis.call(
  'HSET', k.plans, a.field, a.version,
  a.field .. ':change', cjson.encode({change = a.change, answer = answer}),
  a.field .. ':closed', cjson.encode(closed)
)
redis.call('XADD', k.out, '*', 'e', (string.gsub(a.entry, '"answer":null', function() return '"answer":' .. answer end, 1)))
return {'ok', answer}
