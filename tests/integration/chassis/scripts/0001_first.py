"""The technical collections, and one collection of things."""

from __future__ import annotations

from services.chassis import mongo


def up(database):
    """Create them."""
    mongo.create_technical_collections_v1(database)
    if "things" not in database.list_collection_names():
        database.create_collection("things")
