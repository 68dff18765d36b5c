"""Whose record it is: object rules, asked after the permission of the operation has been checked.

Staff with the permission may act on every record. An account that is linked to a record - its own, or that of a child -
will be let through here too, by the link and not by a permission.
"""

from __future__ import annotations

from services.kernel.access import Actor
from services.kernel.errors import NotFound
from services.patients.model.person import Patient


def may_read(patient: Patient, *, actor: Actor) -> bool:  # noqa: ARG001 - the record decides once accounts are linked
    """Whether the actor may see the demographics of this record.

    Source:  GDPR, article 9(2)(h) and 9(3): those whose work is care or its administration.
    """
    return actor.may("patients.read")


def readable(patient: Patient, *, actor: Actor) -> Patient:
    """The record, for one who may see it.

    Raises:  NotFound: the same as for a record that does not exist.
    Source:  as may_read.
    """
    if not may_read(patient, actor=actor):
        raise NotFound
    return patient


def changeable(patient: Patient, *, actor: Actor, permission: str) -> Patient:
    """The record, for one who may act on it with this permission.

    Raises:  NotFound: the same as for a record that does not exist.
    Source:  as may_read.
    """
    if not actor.may(permission):
        raise NotFound
    return patient


def reachable(patient: Patient, *, actor: Actor) -> Patient:
    """The record, for one who may ask how the person is reached.

    Raises:  NotFound: the same as for a record that does not exist.
    Source:  as may_read; names and addresses only, for those who send messages.
    """
    if not actor.may("patients.contact"):
        raise NotFound
    return patient
