"""The rules of patient records: pure, without a store, a clock or a network."""

from __future__ import annotations

from services.patients.model.access import changeable, may_read, readable
from services.patients.model.contacts import Address, Email, Phone
from services.patients.model.demographics import read_demographics
from services.patients.model.errors import (
    AlreadyDeceased,
    DeathDateInvalid,
    DemographicsInvalid,
    IdentifierTaken,
    NothingToSearch,
    PatientInactive,
    PatientMerged,
    PatientNotInactive,
)
from services.patients.model.history import (
    FieldChange,
    KeptVersion,
    Place,
    Snapshot,
    changes,
    differing,
    place_at,
    snapshot,
    stale,
)
from services.patients.model.identifiers import Identifier, IdentifierType
from services.patients.model.keys import Term, keys_of, sort_name
from services.patients.model.likeness import Candidate, Probe, ensure_identifiers_free, likely_duplicates, probe
from services.patients.model.person import (
    Birth,
    Demographics,
    Gender,
    House,
    Patient,
    Standing,
    age_of,
    age_years,
)
from services.patients.model.records import (
    change,
    changed_fields,
    deactivate,
    happened,
    mark_deceased,
    medical_record_number,
    register,
    restore,
)
from services.patients.model.search import (
    MOST_RANKED,
    Found,
    Hit,
    Search,
    hit_at,
    hits_after,
    ranked,
    read_search,
)
from services.patients.model.store import PatientStore, PatientsUnit, PatientsView
from services.patients.model.verification import BirthChecks, checked

__all__ = [
    "MOST_RANKED",
    "Address",
    "AlreadyDeceased",
    "Birth",
    "BirthChecks",
    "Candidate",
    "DeathDateInvalid",
    "Demographics",
    "DemographicsInvalid",
    "Email",
    "FieldChange",
    "Found",
    "Gender",
    "Hit",
    "House",
    "Identifier",
    "IdentifierTaken",
    "IdentifierType",
    "KeptVersion",
    "NothingToSearch",
    "Patient",
    "PatientInactive",
    "PatientMerged",
    "PatientNotInactive",
    "PatientStore",
    "PatientsUnit",
    "PatientsView",
    "Phone",
    "Place",
    "Probe",
    "Search",
    "Snapshot",
    "Standing",
    "Term",
    "age_of",
    "age_years",
    "change",
    "changeable",
    "changed_fields",
    "changes",
    "checked",
    "deactivate",
    "differing",
    "ensure_identifiers_free",
    "happened",
    "hit_at",
    "hits_after",
    "keys_of",
    "likely_duplicates",
    "mark_deceased",
    "may_read",
    "medical_record_number",
    "place_at",
    "probe",
    "ranked",
    "read_demographics",
    "read_search",
    "readable",
    "register",
    "restore",
    "snapshot",
    "sort_name",
    "stale",
]
