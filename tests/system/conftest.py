"""One running house for the whole suite, as `python -m standalone up` makes it, and the people who work in it."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter

import pytest

from tests import mailbox
from tests.contract.contracts import CONTRACTS
from tests.mailbox import Links
from tests.system.house import COMES_UP_S, Client, Person, Reply, RunningHouse, hire, sign_in, standing
from tests.system.visit import Service, Visit
from tests.waiting import wait_for

WORKERS = 3  # accounts that take turns, because the gateway limits each


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whichever test comes first waits for the house too."""
    for item in items:
        if "house" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(COMES_UP_S + 60))


@dataclass(frozen=True)
class Beginning:
    """What the super admin's first minutes in an empty house were answered, step by step."""

    admin: Person
    signed_in: Reply
    refused_before: dict[str, Reply]
    changed: Reply
    old_password: Reply
    signed_in_again: Reply


@pytest.fixture(scope="session")
def house() -> Iterator[RunningHouse]:
    """A house without demo data; it is stopped at the end, whatever happens, and its folder goes."""
    with standing() as running:
        yield running


@pytest.fixture(scope="session")
def client(house: RunningHouse) -> Iterator[Client]:
    """Speaks to the gateway."""
    client = Client(house.url)
    yield client
    client.close()


@pytest.fixture(scope="session")
def beginning(house: RunningHouse, client: Client) -> Beginning:
    """The super admin signs in with the one-time password, tries to work, changes it, and signs in again."""
    first = house.secret("super-admin")
    signed_in = sign_in(client, "admin", password=first)
    admin = Person(client, "", "admin", ["super_admin"], first, signed_in.expect(201).json)
    facility = {"name": f"Ward {secrets.token_hex(3)}", "zone": "Europe/Berlin"}
    refused = {
        "facility": admin.post("/api/v1/facilities", facility),
        "users": admin.get("/api/v1/users"),
        "patients": admin.post("/api/v1/patients/search", {"text": "anybody"}, key=None),
        "history": admin.get("/api/v1/patients/01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20/allergies"),
        "audit": admin.post("/api/v1/audit-entries/search", {}, key=None),
    }
    fresh = "Krovane Balduti Mosepa"
    body = {"current_password": first, "new_password": fresh}
    changed = admin.post("/api/v1/account/password", body, key=None)
    old = sign_in(client, "admin", password=first)
    admin.password = fresh
    again = sign_in(client, "admin", password=fresh)
    admin.tokens = again.expect(201).json
    admin.id = admin.works().get("/api/v1/account").expect(200).json["id"]
    return Beginning(admin, signed_in, refused, changed, old, again)


@pytest.fixture(scope="session")
def admin(beginning: Beginning) -> Person:
    """The super admin, with a password of their own."""
    return beginning.admin


@pytest.fixture(scope="session")
def receptionist(admin: Person) -> Person:
    """Signed in, with a password of their own; so are the others."""
    return hire(admin, "receptionist")


@pytest.fixture(scope="session")
def nurse(admin: Person) -> Person:
    return hire(admin, "nurse")


@pytest.fixture(scope="session")
def doctor(admin: Person) -> Person:
    return hire(admin, "doctor")


@pytest.fixture(scope="session")
def auditor(admin: Person) -> Person:
    return hire(admin, "auditor")


@pytest.fixture(scope="module")
def tokens(admin: Person) -> Iterator[str]:
    """Tokens of accounts with every right, in turn."""
    people = [hire(admin, "super_admin") for _ in range(WORKERS)]
    return map(attrgetter("token"), itertools.cycle(people))  # goes on after one of them could not sign in anew


@pytest.fixture(scope="module")
def services(client: Client, tokens: Iterator[str]) -> dict[str, Service]:
    """All services behind the gateway."""
    return {name: Service(client, contract, tokens) for name, contract in CONTRACTS.items()}


@pytest.fixture(scope="session")
def links(house: RunningHouse) -> Links:
    """What the newest mail to an address links to, once it has come into the inbox of the house."""
    inbox = Client(f"http://127.0.0.1:{house.port('inbox')}")

    def come(address: str) -> list[str]:
        return mailbox.tokens(inbox.send("GET", "/api/messages").expect(200).json["items"], to=address)

    def newest(address: str) -> str:
        wait_for(lambda: bool(come(address)), what="a mail has come")
        return come(address)[0]

    return newest


@pytest.fixture(scope="module")
def visit(house: RunningHouse, services: dict[str, Service], links: Links) -> Callable[[], Visit]:
    """Begins a new journey."""
    known = {
        "service_secret": house.secret("service-history"),
        "reply_secret": house.secret("notifications-sms_reply_secret"),
        "push_service": f"{house.inbox_url}/push",
    }
    return lambda: Visit(services, links=links, **known)
