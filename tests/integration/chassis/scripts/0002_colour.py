"""Every thing has a colour."""

from __future__ import annotations


def up(database):
    """Give those without one the colour grey."""
    database["things"].update_many({"colour": {"$exists": False}}, {"$set": {"colour": "grey"}})
