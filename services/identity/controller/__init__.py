"""One method per operation, by resource: signing in, the own account, users, places, keys and roles."""

from __future__ import annotations

from services.identity.controller.desk import Desk
from services.identity.controller.keys import Keys
from services.identity.controller.own import OwnAccount
from services.identity.controller.places import Places
from services.identity.controller.signing_in import SigningIn
from services.identity.controller.users import Users

__all__ = ["Desk", "IdentityController"]


class IdentityController(SigningIn, OwnAccount, Users, Places, Keys):
    """Every operation of the contract."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
