"""Owns: the schedules: open time, holds, requests, bookings, and the journal of what happened to each.

Reads: whether a patient may be booked for (patients); what may be booked, and when (doctors).
Publishes: `appointments.*` events on `events.appointments`, audit entries on `audit.entries`.
Never knows: names, medical findings, and what a message about an appointment says.
"""
