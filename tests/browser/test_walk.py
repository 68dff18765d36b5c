"""All that each role is shown: no link leads to a refusal, nothing scrolls sideways, axe finds nothing serious.

A page is opened as every role that it is linked to for. It is looked at closely, by axe and at three widths, when
something on it was not seen before: two pages of one kind that are made of the same parts (elements in their parents,
with their classes, roles and attributes) are the same page with other words, and one of them is enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Error

from tests import pages
from tests.browser.conftest import ROLES
from tests.browser.walking import Walk
from tests.system.clinic import until
from tests.system.house import Client, Person, RunningHouse
from tests.system.house import sign_in as sign_in_by_api

EVERYBODY = ["super_admin", *ROLES]
NUMBER = re.compile(r"Number of this request:\s*<code>([\w-]+)</code>")
NOBODY = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"
VALUES = {"role_name": "receptionist", "kid": "none"}


@pytest.fixture(scope="module")
def by_api(house: RunningHouse) -> Iterator[Callable[[str], Person]]:
    """Somebody of a role, with a token and no browser."""
    client = Client(house.url)

    def signed_in(role: str) -> Person:
        name = ROLES[role]
        person = Person(client, "", name, [role], house.secret("demo-password"))
        person.tokens = sign_in_by_api(client, name, password=person.password).expect(201).json
        return person

    yield signed_in
    client.close()


def held(person: Person) -> set[str]:
    return set(person.get("/api/v1/account").expect(200).json["permissions"])


@pytest.mark.row("UI-01")
@pytest.mark.row("UI-12")
@pytest.mark.parametrize("role", EVERYBODY)
def test_every_page_that_is_shown_opens_fits_and_can_be_used_by_everybody(walks, role, figure):
    """At 360, 768 and 1,280 pixels, in a browser that reaches this house and nothing else."""
    walk = walks.of(role)
    figure(f"pages of {role}", len(walk.opened), "pages")
    assert walk.wrong == []
    assert len(walk.opened) > 10


def test_the_browser_of_these_tests_reaches_this_house_alone(tab):
    window = tab()
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        window.page.goto("https://example.org/")
    assert window.trouble.pop() == "asked https://example.org/"


@pytest.mark.row("SEC-08")
@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_do_is_neither_shown_nor_opened_and_the_api_refuses_it(walks, by_api, tab, role):
    """Links and buttons are those of the walk, on which no page was refused; addresses are those of the super admin."""
    person, walk = by_api(role), walks.of(role)
    may = held(person)
    assert {name: pages.missing(name, may) for name in walk.sends if pages.missing(name, may)} == {}
    assert walk.wrong == []
    hidden = {name: rule for name, rule in pages.every("GET") if not set(pages.NEEDED[name]) <= may}
    assert {kind.split()[0] for kind in walk.opened} & hidden.keys() == set()
    walker = tab(role)
    opened = {name: refusal(walker, address_of(name, rule, walks.of("super_admin"))) for name, rule in hidden.items()}
    assert {name: got for name, got in opened.items() if got is not None} == {}
    behind = {each.operation_id: each for name, _ in pages.every("POST") for each in pages.changes(name, tables=True)}
    refused = [each for each in behind.values() if each.permission and each.permission not in may]
    assert len(refused) > 10
    assert {each.operation_id: answer(person, each) for each in refused} == {each.operation_id: 403 for each in refused}


def address_of(name: str, rule: str, walk: Walk) -> str:
    """A page as somebody saw it who may, else with an id that nothing has."""
    seen = next((address for kind, address in walk.opened.items() if kind.split()[0] == name), None)
    return seen or re.sub(r"<(?:(\w+)(?:\(([\w-]+).*?\))?:)?(\w+)>", lambda part: value(*part.groups()), rule)


def value(_converter: str | None, first: str | None, name: str) -> str:
    return first or VALUES.get(name, NOBODY)


def refusal(walker, address: str) -> str | None:
    """How a page answers that is to be refused; None where it is refused, with the number of the request."""
    got = walker.page.request.get(walker.home + address)
    number = NUMBER.search(got.text())
    if got.status != 403 or not number or number[1] != got.headers["x-request-id"]:
        return f"{address} answers {got.status} and {number and number[1]}, {got.headers.get('x-request-id')}"
    return None


def answer(person: Person, operation) -> int:
    """What the API says to a change with the account's own token, about things that nobody has."""
    path = re.sub(r"{[^}]*}", NOBODY, operation.path)
    more = {"if_match": '"1"'} if operation.takes_version else {}
    return until(person, operation.method.upper(), path, {}, **more).status
