"""Runs one command as an account without rights, for a server that refuses to run as root.

It is a program of its own (`python lowered.py ACCOUNT -- COMMAND…`), so that the drop happens in a fresh process and
the server keeps its process id. It imports the standard library only and starts without the site packages.

Where the account cannot walk to the program or to the data folder (a checkout under /root, a folder of mode 0700), it
keeps the one capability that lets it read and walk everywhere; it can write only what it owns.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from pathlib import Path

ACCOUNTS = ("postgres", "nobody")

# From <linux/capability.h> and <linux/prctl.h>.
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 47, 2
CAPABILITY_VERSION_3 = 0x20080522


def account() -> pwd.struct_passwd:
    """The account to run as: the one made for PostgreSQL, else the one that owns nothing."""
    for name in ACCOUNTS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError(f"PostgreSQL does not run as root, and there is no account {' or '.join(ACCOUNTS)} to run it as.")


def wrapped(command: list[str]) -> list[str]:
    """The command line that runs `command` as that account."""
    return [sys.executable, "-I", "-S", str(Path(__file__).resolve()), account().pw_name, "--", *command]


def _can_walk(path: str, *, uid: int, gid: int) -> bool:
    """Whether an account without rights may walk down to the place where this path lies."""
    for folder in Path(path).resolve().parents:
        try:
            info = folder.stat()
        except OSError:
            return False
        bit = 0o100 if info.st_uid == uid else 0o010 if info.st_gid == gid else 0o001
        if not info.st_mode & bit:
            return False
    return True


def _set_capabilities(libc: ctypes.CDLL, capability: int) -> None:
    """Hold one capability only, in a form that survives the coming exec."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    mask = 1 << capability
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(ctypes.byref(header), ctypes.byref(data)) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    if libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _held(capability: int) -> bool:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("CapPrm:"):
            return bool(int(line.split()[1], 16) >> capability & 1)
    return False


def lower_to(entry: pwd.struct_passwd, *, paths: list[str]) -> None:
    """Become the account, keeping the right to walk only where it needs that to reach `paths`."""
    libc = ctypes.CDLL(None, use_errno=True)
    walks = all(_can_walk(path, uid=entry.pw_uid, gid=entry.pw_gid) for path in paths)
    kept = None if walks else next((each for each in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if _held(each)), None)
    if kept is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    if kept is not None:
        _set_capabilities(libc, kept)


def main(arguments: list[str]) -> None:
    """`lowered.py ACCOUNT -- COMMAND…`: become the account, then the command."""
    name, _, *command = arguments
    lower_to(pwd.getpwnam(name), paths=[each for each in command if each.startswith("/")])
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
