"""Patient records in PostgreSQL, where patients are known, and what other services say."""

from __future__ import annotations

from services.patients.repository.peers import DoctorsService
from services.patients.repository.records import PatientsDatabase

__all__ = ["DoctorsService", "PatientsDatabase"]
