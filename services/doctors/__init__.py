"""Who the doctors are, what they do, and when and where they see patients.

Owns:         profiles of doctors, specializations, appointment types, rooms and devices, weekly sessions, leave,
              closures, and the plans with their versions.
Reads:        facilities, locations and departments of `identity`, with the caller's token; whether a plan fits what is
              booked, from `appointments`.
Publishes:    doctors.created.v1, doctors.changed.v1, doctors.deactivated.v1, doctors.activated.v1,
              doctors.plan_changed.v1, doctors.type_changed.v1, doctors.specialization_changed.v1, audit.recorded.v1.
Never knows:  who is booked, and why.
"""
