"""Owns: the schedules: open time, holds, requests, bookings, and the journal of what happened to each.

Reads: whether a patient may be booked for (patients); what may be booked, and when (doctors).
Publishes: requested, booked, rescheduled, cancelled, declined, status changed, entered in error.
Never knows: names, medical findings, and what a message about an appointment says.
"""
