"""One method per operation, by resource: signing in, the own account, users, roles, links, places, keys."""

from __future__ import annotations

from services.identity.controller.clients import Clients
from services.identity.controller.counters import Counters
from services.identity.controller.desk import Desk
from services.identity.controller.external import External
from services.identity.controller.keys import Keys
from services.identity.controller.links import Links
from services.identity.controller.own import OwnAccount
from services.identity.controller.places import Places
from services.identity.controller.resets import Resets
from services.identity.controller.roles import Roles
from services.identity.controller.second_factor import SecondFactors
from services.identity.controller.signing_in import SigningIn
from services.identity.controller.users import Users

__all__ = ["Desk", "IdentityController"]


class IdentityController(
    SigningIn, SecondFactors, Resets, External, OwnAccount, Users, Roles, Links, Clients, Counters, Places, Keys
):
    """Every operation of the contract."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
