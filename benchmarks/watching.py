"""What processes take while something runs (CPU, memory), and what they count (metrics): read from outside."""

from __future__ import annotations

import os
import urllib.request
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Use:
    """CPU seconds since the start, and MiB: of a process and all that it has started.

    rss_mib: resident, with all of the libraries that it shares with its neighbours. pss_mib: its share of them; the sum
    over all processes is what they take together.
    """

    cpu_s: float
    rss_mib: float
    pss_mib: float


def uses(named: Mapping[str, int]) -> dict[str, Use]:
    """What each of some processes takes, by name, with what it has started, unless that is named itself."""
    children: dict[int, list[int]] = defaultdict(list)
    facts: dict[int, Use] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and (read := _read(folder)) is not None:
            parent, facts[int(folder.name)] = read
            children[parent].append(int(folder.name))
    own = set(named.values())
    found = {}
    for name, pid in named.items():
        family = [each for each in _family(pid, children, own) if each in facts]
        found[name] = Use(
            sum(facts[each].cpu_s for each in family),
            sum(facts[each].rss_mib for each in family),
            sum(_share_mib(each) for each in family),
        )
    return found


def values(port: int, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """The samples of one metric of a process, by their labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def _read(folder: Path) -> tuple[int, Use] | None:
    try:
        words = (folder / "stat").read_text().rpartition(")")[2].split()
        pages = int((folder / "statm").read_text().split()[1])
    except (OSError, IndexError):
        return None  # it has ended meanwhile
    cpu_s = (int(words[11]) + int(words[12])) / _TICKS
    return int(words[1]), Use(cpu_s, pages * os.sysconf("SC_PAGE_SIZE") / _MIB, 0.0)


def _share_mib(pid: int) -> float:
    """Its own pages, and of each that several have its part (proc(5), smaps_rollup); asked only of those shown."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has ended meanwhile
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("Pss:")), 0.0)


def _family(pid: int, children: Mapping[int, Iterable[int]], own: set[int]) -> Iterable[int]:
    yield pid
    for each in children.get(pid, ()):
        if each not in own:
            yield from _family(each, children, own)
