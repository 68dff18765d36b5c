"""Accounts, sign-in and places.

Owns:        facilities, locations with their time zone, departments; accounts of people and of services, their
             roles and how far these reach, passwords, second factors and sessions; links between accounts and
             records; the keys that sign access tokens; the policy that every process follows.
Reads:       of `patients` whether a record is in use, and whether a birth date is its own.
Publishes:   `identity.*` events on `events.identity`, the policy on `identity.policy`, audit entries on
             `audit.entries`.
Never knows: a patient's name, birth or number, appointments, medicines; a password or secret in clear beyond its
             request.
"""
