"""The web UI for staff and patients.

Owns: web sessions and drafts of forms, both sealed, in Redis `bus`.
Reads: everything by the API of the services, as whoever is signed in.
Publishes: nothing.
Never knows: a rule of the hospital. What may be done is said by the API, before (permissions) and after (problems).
"""
