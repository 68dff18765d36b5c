"""What keeps a house from coming up, in one clear line for the person at the terminal."""

from __future__ import annotations

import errno
from pathlib import Path


class Trouble(Exception):
    """The house cannot do what was asked; the text is one line that says what to do."""


class MissingServer(Trouble):
    """There is no usable program of a server here; the text says in one line what to install."""


def of_folder(error: OSError, *, folder: Path) -> Trouble:
    """The line for a folder that does not take what a house writes."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Trouble(f"The disk of {folder} is full: free some space, or choose another folder with INFIRMARY_HOME=…")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return Trouble(
            f"The folder {folder} cannot be written: make it writable, or choose another with INFIRMARY_HOME=…"
        )
    return Trouble(f"The folder {folder} cannot be used ({error.strerror}): choose another with INFIRMARY_HOME=…")
