"""Who the patients are.

Owns:         demographics, medical record numbers, identifiers, contacts, the standing of a record, and every version
              of all of it; where a patient is known, and so who reaches the record.
Reads:        where and with whom a patient has an appointment, from the events of `appointments`, ids only; how doctors
              sign in, and which facilities there are, from `doctors` and `identity`.
Publishes:    patients.registered.v1, patients.changed.v1, patients.deactivated.v1, patients.restored.v1,
              patients.deceased.v1, audit.recorded.v1.
Never knows:  what a patient suffers from, takes, or what an appointment is about.
"""
