"""Which accounts are administered within a reach: in SQL what the model says of one account."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.kernel.access import Area, Scope

# Every role has an area, and each facility of it is held whole, or all departments that it is narrowed to are.
_ADMINISTERED: Final = """
cardinality(accounts.roles) > 0
AND NOT EXISTS (SELECT FROM unnest(accounts.roles) AS role WHERE NOT jsonb_exists(accounts.areas, role))
AND NOT EXISTS (
  SELECT FROM jsonb_each(accounts.areas) AS area(role, places),
    jsonb_array_elements_text(places -> 'facilities') AS facility
  WHERE NOT facility = ANY(:whole) AND NOT (
    jsonb_array_length(places -> 'departments') > 0 AND NOT EXISTS (
      SELECT FROM jsonb_array_elements_text(places -> 'departments') AS part
      WHERE NOT facility || ' ' || part = ANY(:parts))))
"""


def administered(within: Scope) -> sa.ColumnElement[bool]:
    """Whether every role of the account holds within the reach, and nowhere else."""
    if any(each.facilities is None and each.departments is None for each in within.areas):
        return sa.true()
    whole = {facility for each in within.areas if each.departments is None for facility in each.facilities or ()}
    parts = {pair for each in within.areas for pair in _parts(each)}
    said: Any = sa.text(_ADMINISTERED).bindparams(_texts("whole", whole), _texts("parts", parts))
    return sa.and_(sa.true(), said)


def _parts(area: Area) -> set[str]:
    return {f"{facility} {part}" for facility in area.facilities or () for part in area.departments or ()}


def _texts(name: str, values: set[str]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, sorted(values), type_=ARRAY(sa.Text))
