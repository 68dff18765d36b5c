"""Accounts, sign-in and places.

Owns:        facilities, locations with their time zone, departments; accounts of people and of services, their
             roles, passwords and sessions; the keys that sign access tokens; the policy that every process follows.
Reads:       nothing of another service.
Publishes:   `identity.*` events on `events.identity`, the policy on `identity.policy`, audit entries on
             `audit.entries`.
Never knows: patients, appointments, medicines; a password or secret in clear beyond its request.
"""
