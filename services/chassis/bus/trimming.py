"""Streams are shortened only below what every group has finished; what dead letters point at is kept for a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from services.chassis import redis
from services.chassis.bus import counts
from services.chassis.bus.group import dead_letters_of

KEEP_DEAD: Final = timedelta(days=7)

# Looked at and cut in one step: a group that reads in between cannot lose anything. What a group has finished ends
# before its oldest pending entry, or before the last one that it was given when none is pending. A stream without a
# group is kept: somebody may still come to listen. KEYS: the stream, and the dead letters of its groups.
_TRIM = """
local function before(a, b)
  local am, as = a:match('^(%d+)-(%d+)$')
  local bm, bs = b:match('^(%d+)-(%d+)$')
  am, as, bm, bs = tonumber(am), tonumber(as), tonumber(bm), tonumber(bs)
  return am < bm or (am == bm and as < bs)
end
local function facts_of(flat)
  local facts = {}
  for i = 1, #flat, 2 do facts[flat[i]] = flat[i + 1] end
  return facts
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local lowest = nil
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local facts = facts_of(group)
  local bound = facts['last-delivered-id']
  local pending = redis.call('XPENDING', KEYS[1], facts['name'])
  if pending[1] > 0 and before(pending[2], bound) then bound = pending[2] end
  if lowest == nil or before(bound, lowest) then lowest = bound end
end
if lowest == nil then return 0 end
for i = 2, #KEYS do
  for _, letter in ipairs(redis.call('XRANGE', KEYS[i], ARGV[1], '+')) do
    local facts = facts_of(letter[2])
    if facts['stream'] == KEYS[1] and before(facts['entry'], lowest) then lowest = facts['entry'] end
  end
end
return redis.call('XTRIM', KEYS[1], 'MINID', '=', lowest)
"""


def trim(bus: redis.Client, stream: str) -> int:
    """Remove from a stream what every group has finished; how many entries.

    Safe at any time, from any number of processes. What a dead letter points at stays for a week, for a redrive.
    """
    with redis.translated():
        groups: Any = bus.xinfo_groups(stream) if bus.exists(stream) else []
        seconds: int = bus.time()[0]
        since = f"{int((seconds - KEEP_DEAD.total_seconds()) * 1000)}-0"
        keys = [stream, *(dead_letters_of(each["name"]) for each in groups)]
        removed = int(bus.eval(_TRIM, len(keys), *keys, since))
    counts.TRIMMED.labels(stream).inc(removed)
    return removed
