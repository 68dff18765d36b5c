"""Named places at which a process can be made to die as by a power cut, for tests of what must survive it.

`INFIRMARY_FAILPOINT=script.after:3` ends the process when it comes to this place for the third time. Without the
variable the places cost a comparison and do nothing; nobody but who starts the process can set it.
"""

from __future__ import annotations

import os
import signal
from typing import Final

VARIABLE: Final = "INFIRMARY_FAILPOINT"
PLACES: Final = (
    "script.before",
    "script.after",
    "answer.before",
    "journal.begun",
    "journal.written",
    "journal.committed",
    "publish.before",
    "publish.after",
    "effect.before",
    "effect.after",
    "send.before",
    "send.after",
)

_name, _, _times = os.environ.get(VARIABLE, "").partition(":")
_left = [int(_times or 1)]


def reach(place: str) -> None:
    """The process has come to a place; it goes no further when this is the one."""
    if _name and place == _name:
        _left[0] -= 1
        if _left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
