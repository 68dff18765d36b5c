"""The only part of the audit that talks to its stores, and to the service that knows names."""

from services.audit.repository.peers import StaffNames
from services.audit.repository.second_place import CheckpointFile
from services.audit.repository.trail import AuditStore

__all__ = ["AuditStore", "CheckpointFile", "StaffNames"]
