"""`make cluster-lint`: checkov reads what the chart makes of every profile, and the Dockerfile.

Every finding is mended or waived with a reason in waivers.yaml; a waiver that nothing needs fails as well. checkov
brings a hundred packages, in an environment of its own, and is asked of nobody who does not work on the chart.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.rendering import PROFILES, ROOT, rendered

WAIVERS = Path(__file__).parent / "waivers.yaml"


@dataclass(frozen=True, order=True)
class Finding:
    """What one check has against one thing. place: PROFILE/KIND/NAME, or Dockerfile."""

    check: str
    place: str
    says: str


def waivers() -> list[Mapping[str, str]]:
    """What is left as it is."""
    found: list[Mapping[str, str]] = yaml.safe_load(WAIVERS.read_text(encoding="utf-8"))
    return found


def covers(waiver: Mapping[str, str], finding: Finding) -> bool:
    """Whether a waiver is about a finding."""
    return waiver["check"] == finding.check and bool(re.fullmatch(waiver.get("where", ".*"), finding.place))


def judged(found: Iterable[Finding], waived: Sequence[Mapping[str, str]]) -> list[str]:
    """What is wrong: findings that nobody has waived, and waivers of nothing."""
    findings = sorted(set(found))
    wrong = [
        f"{each.check} at {each.place}: {each.says}" for each in findings if not any(covers(w, each) for w in waived)
    ]
    idle = [w for w in waived if not any(covers(w, each) for each in findings)]
    return wrong + [f"{each['check']} is waived, and nothing needs it" for each in idle]


def findings(answer: Any) -> list[Finding]:
    """What checkov found, from its JSON.

    Raises:  ValueError: it could not read something, or has read nothing.
    """
    reports = answer if isinstance(answer, list) else [answer]
    if {each.get("check_type") for each in reports} != {"dockerfile", "kubernetes"}:
        raise ValueError("checkov has not read both manifests and Dockerfile")
    if any(each["summary"]["parsing_errors"] or not each["summary"]["passed"] for each in reports):
        raise ValueError("checkov could not read a file")
    return [
        Finding(failed["check_id"], _place(failed), failed["check_name"])
        for each in reports
        for failed in each["results"]["failed_checks"]
    ]


def _place(failed: Mapping[str, Any]) -> str:
    path = Path(failed["file_path"])
    if path.suffix != ".yaml":
        return path.name
    kind, _, name = failed["resource"].split(".", 2)
    return f"{path.stem}/{kind}/{name}"


def lay(folder: Path) -> None:
    """A file for each profile, and the Dockerfile; what Secrets hold is nobody's business."""
    for profile in PROFILES:
        shown = [each for each in rendered(profile) if each["kind"] != "Secret"]
        (folder / f"{profile}.yaml").write_text(yaml.safe_dump_all(shown), encoding="utf-8")
    shutil.copy(ROOT / "Dockerfile", folder)


def main(checkov: str) -> int:
    """Read, judge, say; 1 when something is wrong."""
    with tempfile.TemporaryDirectory() as scratch:
        lay(Path(scratch))
        command = [checkov, "--directory", scratch, "--framework", "kubernetes", "dockerfile", "--output", "json"]
        done = subprocess.run(
            [*command, "--compact", "--quiet", "--skip-download"], capture_output=True, text=True, check=False
        )
    found = findings(json.loads(done.stdout))
    wrong = judged(found, waivers())
    for line in wrong:
        print(line)
    print(f"checkov: {len(found)} findings, {len(waivers())} waivers, {len(wrong)} wrong")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
