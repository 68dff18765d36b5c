-- Shared by all scripts; each is this text and its own behind it. The one argument is JSON; all keys in it are declared in
-- KEYS too, and all that are made here carry the same hash tag.

local a = cjson.decode(ARGV[1])
local k = a.keys

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local at_ms = now_ms()

local function refused(code, more)
  return {code, more or ''}
end

-- A key that was used before: its stored answer, or that it was another request.
local function answered()
  if not k.answer then return nil end
  local known = redis.call('HMGET', k.answer, 'f', 'a')
  if not known[1] then return nil end
  if known[1] ~= a.fingerprint then return refused('key_reused') end
  return {'replayed', known[2]}
end

-- The records must be whole, and the plans must be those that were decided on.
local function fenced()
  if redis.call('EXISTS', k.origin) == 0 then return refused('records_lost') end
  if not a.plan then return nil end
  local found = redis.call('HMGET', k.plans, a.plan.doctor, 'facility')
  if found[1] ~= a.plan.version or (found[2] or '0') ~= a.plan.facility_version then return refused('plan_moved') end
  return nil
end

-- The record must be the version that the change starts from.
local function versioned()
  if not a.expected then return nil end
  if redis.call('HGET', k.record, 'v') ~= a.expected then return refused('stale') end
  return nil
end

local function parsed(member)
  local id, first, last, seat, taking = string.match(member, '^(%x+) (%d+) (%d+) (%d+) (%a)$')
  return {id = id, first = tonumber(first), last = tonumber(last), seat = tonumber(seat), taking = taking}
end

-- Whether it takes its time now: a hold does until its end by this clock, and never against the one who uses it up.
local function takes(each)
  if each.taking == 'n' or each.taking == 'p' or each.id == a.id then return false end
  if each.taking ~= 'h' then return true end
  if each.id == a.hold then return false end
  local till = redis.call('HGET', a.tag .. ':a:' .. each.id, 'u')
  return till and tonumber(till) > at_ms
end

-- What takes its time between two moments in some days, once each.
local function standing(days, first, last)
  local found, seen = {}, {}
  for _, day in ipairs(days) do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', day, '-inf', '(' .. last)) do
      local each = parsed(member)
      if each.last > first and not seen[each.id] and takes(each) then
        seen[each.id] = true
        found[#found + 1] = each
      end
    end
  end
  return found
end

local function starting(days, first, last)
  local count, seen = 0, {}
  for _, day in ipairs(days) do
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', day, first, '(' .. last)) do
      local each = parsed(member)
      if not seen[each.id] and takes(each) then
        seen[each.id] = true
        count = count + 1
      end
    end
  end
  return count
end

-- The lowest number that is free all through the time; 0 when there is none. See model/free.py, free_seats.
local function seat_of(there, capacity)
  local used, over = {}, 0
  for _, each in ipairs(there) do
    used[each.seat] = true
    if each.taking == 'x' then over = over + 1 end
  end
  local free, lowest = 0, 0
  for seat = 1, capacity do
    if not used[seat] then
      free = free + 1
      if lowest == 0 then lowest = seat end
    end
  end
  if free - over <= 0 then return 0 end
  return lowest
end

-- Whether the place can be had: its number, or what forbids it.
local function placed()
  local s = a.spot
  if #standing(k.closed, s.first, s.last) > 0 then return nil, refused('place_closed') end
  local seat, there = 0, standing(k.doctor, s.first, s.last)
  if not s.over then
    seat = seat_of(there, s.capacity)
    if seat == 0 then return nil, refused('place_taken') end
  end
  -- A room of the session is full of the doctor's own appointments when the session is; what is taken beside is not shared.
  local own = {}
  for _, each in ipairs(there) do own[each.id] = true end
  for index, days in ipairs(k.resources) do
    for _, each in ipairs(standing(days, s.first, s.last)) do
      if index > s.shared or not own[each.id] then return nil, refused('resource_taken') end
    end
  end
  for _, limit in ipairs(s.limits) do
    if not s.over and starting(limit.days, limit.first, limit.last) >= limit.most then
      return nil, refused('limit_reached', cjson.encode({limit = limit.name, maximum = limit.most}))
    end
  end
  return seat, nil
end

-- Whether it was made by self-service; what was written before there was any says nothing.
local function made_by_people(id)
  local record = redis.call('HGET', a.tag .. ':a:' .. id, 'd')
  local made = record and cjson.decode(record).created_as
  return made == 'self' or made == 'guardian'
end

-- Whether the patient can be there, and has not too many.
local function welcome()
  local s = a.spot
  if s and not s.overlap and #standing({k.patient}, s.first, s.last) > 0 then return refused('patient_busy') end
  for _, limit in ipairs(a.patient_limits) do
    if starting({k.patient}, limit.first, limit.last) >= limit.most then
      return refused('limit_reached', cjson.encode({limit = limit.name, maximum = limit.most}))
    end
  end
  if a.open_limit then
    local open, own = 0, 0
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', k.patient, '-inf', '+inf')) do
      local each = parsed(member)
      if each.last * 60000 > at_ms and each.taking ~= 'n' then
        open = open + 1
        if a.own_limit and made_by_people(each.id) then own = own + 1 end
      end
    end
    if open >= a.open_limit then
      return refused('limit_reached', cjson.encode({limit = 'open_per_patient', maximum = a.open_limit}))
    end
    if a.own_limit and own >= a.own_limit then
      return refused('limit_reached', cjson.encode({limit = 'open_by_self_service', maximum = a.own_limit}))
    end
  end
  return nil
end

local function enter(days, id, first, last, seat, taking)
  for _, day in ipairs(days) do
    redis.call('ZADD', day, first, id .. ' ' .. first .. ' ' .. last .. ' ' .. seat .. ' ' .. taking)
  end
end

local function leave(members)
  for _, each in ipairs(members) do
    for _, key in ipairs(each.keys) do redis.call('ZREM', key, each.member) end
  end
end

local function with_seat(text, seat)
  local shown = 'null'
  if seat > 0 then shown = tostring(seat) end
  return (string.gsub(text, '"seat":' .. a.open_seat, '"seat":' .. shown))
end

-- A hold that was used up, given back, or replaced; its entries are rebuilt from what it wrote down about itself.
local function end_hold(id)
  local record = a.tag .. ':a:' .. id
  local held = redis.call('HGET', record, 'd')
  if not held then return end
  local h = cjson.decode(held)
  leave(h.members)
  redis.call('ZREM', h.holds, id)
  redis.call('ZREM', a.tag .. ':held', id)
  redis.call('DEL', record)
end

local function hold_lives(id)
  local record = redis.call('HMGET', a.tag .. ':a:' .. id, 'u', 'd')
  if not record[1] or tonumber(record[1]) <= at_ms then return false end
  return cjson.decode(record[2]).by == a.by
end

-- Whether the place that is asked for lies within the one that is held.
local function hold_covers(id)
  local h = cjson.decode(redis.call('HGET', a.tag .. ':a:' .. id, 'd'))
  return h.doctor == a.plan.doctor and h.first <= a.spot.first and a.spot.last <= h.last
end

-- All that makes a change true: the record, the schedules, the stored answer, the entry for journal, events and audit.
local function keep(seat)
  leave(a.leaves)
  redis.call('HSET', k.record, 'v', a.version, 'd', with_seat(a.record, seat))
  local answer = with_seat(a.answer, seat)
  if k.answer then
    redis.call('HSET', k.answer, 'f', a.fingerprint, 'a', answer)
    redis.call('PEXPIRE', k.answer, a.answers_kept_ms)
  end
  redis.call('XADD', k.out, '*', 'e', with_seat(a.entry, seat))
  return {'ok', answer}
end
