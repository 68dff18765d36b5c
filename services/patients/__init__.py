"""Who the patients are.

Owns:         demographics, medical record numbers, identifiers, contacts, the standing of a record, and every version
              of all of it.
Reads:        nothing of other services.
Publishes:    patients.registered.v1, patients.changed.v1, patients.deactivated.v1, patients.restored.v1,
              patients.deceased.v1, audit.recorded.v1.
Never knows:  what a patient suffers from, takes, or is booked for.
"""
