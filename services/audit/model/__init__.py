"""The rules of the trail: how entries are written down and chained, how a chain is checked. Pure, without any I/O."""

from services.audit.model.accesses import By, accesses_to, by, is_by_staff, refuse_narrowed, refuse_others
from services.audit.model.chain import GENESIS, Head, Link, follow, follow_all, link_hash
from services.audit.model.checkpoints import UNREADABLE, Checkpoint, is_due, is_genuine, signed
from services.audit.model.entries import Entry, Index, canonical, entry_from, index_of, read_entry
from services.audit.model.searching import Search, TooManyRows, at_most, described, search
from services.audit.model.store import Ends, Noted, Store, Trail, Transaction
from services.audit.model.verification import AT_ONCE, Break, BreakKind, Range, Verification, range_of, verify

__all__ = [
    "AT_ONCE",
    "GENESIS",
    "UNREADABLE",
    "Break",
    "BreakKind",
    "By",
    "Checkpoint",
    "Ends",
    "Entry",
    "Head",
    "Index",
    "Link",
    "Noted",
    "Range",
    "Search",
    "Store",
    "TooManyRows",
    "Trail",
    "Transaction",
    "Verification",
    "accesses_to",
    "at_most",
    "by",
    "canonical",
    "described",
    "entry_from",
    "follow",
    "follow_all",
    "index_of",
    "is_by_staff",
    "is_due",
    "is_genuine",
    "link_hash",
    "range_of",
    "read_entry",
    "refuse_narrowed",
    "refuse_others",
    "search",
    "signed",
    "verify",
]
