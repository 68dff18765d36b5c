"""Three small contracts with every kind of route: public and not, literal and not, and one prefix of two services."""

from __future__ import annotations

from typing import Any

from services.chassis import spec

PATHS: dict[str, dict[str, dict[str, str]]] = {
    "identity": {
        "/api/v1/sessions": {"post": "sign_in"},
        "/api/v1/.well-known/jwks.json": {"get": "list_keys"},
        "/api/v1/users": {"get": "list_users"},
    },
    "patients": {
        "/api/v1/patients": {"post": "register_patient"},
        "/api/v1/patients/search": {"post": "search_patients"},
        "/api/v1/patients/{patient_id}": {"get": "get_patient", "patch": "update_patient"},
    },
    "history": {
        "/api/v1/patients/{patient_id}/allergies": {"get": "list_allergies", "post": "add_allergy"},
        "/api/v1/patients/{person}/allergies/{allergy_id}": {"get": "get_allergy"},
    },
}
PUBLIC = {"sign_in", "list_keys"}


def operation(name: str, *, public: bool) -> dict[str, Any]:
    """One operation, as small as the chassis takes it."""
    open_to_all = {"security": [], "x-permission": "none"}
    rights = open_to_all if public else {"x-permission": "things.read"}
    return {"operationId": name, "x-audit": "none", "responses": {"200": {"description": "Done."}}, **rights}


def contract(service: str, paths: dict[str, dict[str, str]] | None = None, **changed: Any) -> spec.Contract:
    """One contract; `changed` replaces operations by their name."""
    items = {
        path: {method: changed.get(name, operation(name, public=name in PUBLIC)) for method, name in operations.items()}
        for path, operations in (PATHS[service] if paths is None else paths).items()
    }
    document = {
        "openapi": "3.0.3",
        "info": {"title": f"Infirmary {service}", "version": "1.0"},
        "security": [{"bearer": []}],
        "paths": items,
        "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }
    return spec.Contract(service, document)


def contracts() -> tuple[spec.Contract, ...]:
    """All three."""
    return tuple(contract(service) for service in sorted(PATHS))
