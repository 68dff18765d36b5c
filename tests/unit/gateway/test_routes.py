"""The table of routes: what matches what, in which order, and which contracts make none."""

from __future__ import annotations

import re

import pytest

from gateway import routes
from tests.unit.gateway import small

PATIENT = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"


def found(*contracts):
    return routes.of(contracts or small.contracts())


def first_match(path, table):
    return next((route for route in table if re.fullmatch(route.regex, path)), None)


def test_every_path_of_every_contract_is_in_the_table():
    wanted = {(service, path) for service, paths in small.PATHS.items() for path in paths}
    assert {(route.service, route.path) for route in found()} == wanted


def test_a_literal_segment_is_tried_before_a_parameter():
    assert first_match("/api/v1/patients/search", found()).path == "/api/v1/patients/search"
    assert first_match(f"/api/v1/patients/{PATIENT}", found()).path == "/api/v1/patients/{patient_id}"


def test_two_services_share_a_prefix():
    assert first_match(f"/api/v1/patients/{PATIENT}", found()).service == "patients"
    assert first_match(f"/api/v1/patients/{PATIENT}/allergies", found()).service == "history"


@pytest.mark.parametrize("segment", [PATIENT, "a", "10000012", "a.b", "...", "..a", ".a", "~x", "a-b_c"])
def test_a_parameter_is_one_segment_of_unreserved_characters(segment):
    assert first_match(f"/api/v1/patients/{segment}", found()) is not None


@pytest.mark.parametrize(
    "segment", ["", ".", "..", "a/b", "a;b", "a%20b", "a b", "a@b", "a\x00", "ä", "a\n", "a:b", "a,b"]
)
def test_what_has_fooled_routers_matches_nothing(segment):
    assert first_match(f"/api/v1/patients/{segment}", found()) is None


def test_a_dot_of_a_path_is_a_dot():
    assert first_match("/api/v1/Xwell-known/jwks.json", found()) is None


def test_allow_lists_the_methods_of_all_services_on_a_path():
    other = small.contract("identity", {"/api/v1/patients/{id}": {"delete": "erase_patient"}})
    table = found(small.contract("patients"), other)
    assert routes.allowed(table, shape="/api/v1/patients/{}") == ("DELETE", "GET", "OPTIONS", "PATCH")


def test_two_operations_of_one_request_are_refused_whatever_their_parameters_are_called():
    other = small.contract("identity", {"/api/v1/patients/{id}": {"get": "peek_patient"}})
    with pytest.raises(routes.RoutesError, match=r"identity\.peek_patient|patients\.get_patient"):
        found(small.contract("patients"), other)


def test_one_word_of_public_alone_does_not_open_an_operation():
    """`security: []` without `x-permission: none`, or the other way round, is a slip."""
    without_security = {**small.operation("list_users", public=True)}
    del without_security["security"]
    without_permission = {**small.operation("list_users", public=False), "security": []}
    for slip in (without_security, without_permission):
        with pytest.raises(routes.RoutesError, match="belong together"):
            found(small.contract("identity", list_users=slip))


@pytest.mark.parametrize("path", ["/users", "/api/v2/users", "/api/v1/users/", "/api/v1/us ers", "/api/v1/(users)"])
def test_a_path_outside_the_api_is_refused(path):
    with pytest.raises(routes.RoutesError, match="is not a path"):
        found(small.contract("identity", {path: {"get": "list_users"}}))
