"""Several entries may be appended in one transaction before the head moves, once, to the last of them.

Each still follows the one before: the head, or an entry beyond it, of which there are none but those of the same
transaction. A process of the version before appends one at a time, which these rules allow as well.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_LINK = """
CREATE OR REPLACE FUNCTION check_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head chain_head%ROWTYPE;
    before bytea;
BEGIN
    SELECT * INTO STRICT head FROM chain_head FOR UPDATE;
    IF NEW.position = head.position + 1 THEN
        before := head.hash;
    ELSIF NEW.position > head.position THEN
        SELECT hash INTO before FROM entries WHERE position = NEW.position - 1;
    END IF;
    IF before IS NULL OR NEW.previous <> before
        OR NEW.hash <> sha256(NEW.previous || int8send(NEW.position) || convert_to(NEW.entry, 'UTF8'))
    THEN
        RAISE EXCEPTION 'the entry does not follow the head' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""
_HEAD = """
CREATE OR REPLACE FUNCTION check_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.position <= OLD.position
        OR NOT EXISTS (SELECT FROM entries WHERE position = NEW.position AND hash = NEW.hash)
    THEN
        RAISE EXCEPTION 'the head follows the newest entry' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    op.execute(_LINK)
    op.execute(_HEAD)
