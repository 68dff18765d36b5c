"""Whoever changes the trail behind the service's back is found out, whatever rights over the database they have."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from prometheus_client import REGISTRY

from services.audit import app, jobs, model
from services.audit.repository import AuditStore, CheckpointFile
from tests.integration.audit import making


@pytest.fixture
def trail(house):
    """A trail of 25 entries with checkpoints at 10 and 20."""
    house.fill(25)
    assert house.broken() is None
    return house


def another(position, *, of, previous):
    """A statement that puts a copy of an entry at a position."""
    columns = "at, actor, operation, action, outcome, about"
    return (
        f"INSERT INTO entries SELECT {position}, {previous}, hash, entry, gen_random_uuid()::text, {columns}"
        f" FROM entries WHERE position = {of}"
    )


def changes(*statements):
    """What an intruder does who owns the database."""
    return lambda trail: trail.intrude(*statements)


def signs_with_another_key(trail):
    """Write the trail anew, and a checkpoint for it, as somebody who owns both places and not the key."""
    trail.chain_anew(7, change="DELETE FROM checkpoints")
    trail.path.unlink()
    with trail.store.begin(making.make_call()) as tx:
        tx.add_checkpoint(model.signed(tx.head(), at=making.START, key=b"another key"))


# The twelve kinds of tampering; for each what is done, and the place and kind that the check names.
KINDS = {
    "edits an entry": (
        changes("UPDATE entries SET entry = replace(entry, 'doctor-6', 'doctor-x') WHERE position = 7"),
        (7, "entry_changed"),
    ),
    "deletes an entry": (changes("DELETE FROM entries WHERE position = 7"), (7, "entry_missing")),
    "inserts an entry": (
        changes(
            "UPDATE entries SET position = -position WHERE position > 7",
            "UPDATE entries SET position = -position + 1 WHERE position < 0",
            another(8, of=7, previous="previous"),
            "UPDATE chain_head SET position = 26",
        ),
        (8, "order_changed"),
    ),
    "reorders entries": (
        changes(
            "UPDATE entries SET position = -position WHERE position IN (7, 8)",
            "UPDATE entries SET position = 15 + position WHERE position < 0",
        ),
        (7, "order_changed"),
    ),
    "truncates the tail": (changes("DELETE FROM entries WHERE position > 22"), (23, "tail_missing")),
    # There is one chain and no partitions; what corresponds are two whole stretches in each other's place.
    "swaps two stretches": (
        changes(
            "UPDATE entries SET position = -position WHERE position <= 20",
            "UPDATE entries SET position = (-position + 9) % 20 + 1 WHERE position < 0",
        ),
        (1, "order_changed"),
    ),
    "rewrites the clock of an entry": (
        changes(
            "UPDATE entries SET entry = replace(entry, '08:00:06', '09:00:06'), at = at + interval '1 hour'"
            " WHERE position = 7"
        ),
        (7, "entry_changed"),
    ),
    # The hashes fit each other again, in every row and in the head; the signed word outside about position 10 does not.
    "chains the trail anew without its checkpoints": (
        lambda trail: trail.chain_anew(7, change="DELETE FROM checkpoints"),
        (10, "checkpoint_differs"),
    ),
    "edits a checkpoint": (
        changes("UPDATE checkpoints SET hash = sha256('x') WHERE position = 10"),
        (10, "checkpoint_forged"),
    ),
    "truncates the second place": (lambda trail: trail.path.write_bytes(b""), (10, "checkpoint_missing")),
    "signs with another key": (signs_with_another_key, (25, "checkpoint_forged")),
    "rolls the head back": (
        changes(
            "DELETE FROM entries WHERE position > 18",
            "DELETE FROM checkpoints WHERE position > 18",
            "UPDATE chain_head SET position = 18, hash = (SELECT hash FROM entries WHERE position = 18)",
        ),
        (19, "tail_missing"),
    ),
}


@pytest.mark.target("C-15")
@pytest.mark.parametrize("kind", KINDS)
def test_the_check_names_place_and_kind_when_somebody(trail, kind):
    tamper, found = KINDS[kind]
    tamper(trail)
    assert trail.broken() == found


def test_who_watches_hears_within_the_next_check_that_an_entry_was_changed(trail):
    def check() -> tuple[float | None, float | None]:
        jobs.check_newest(making.make_call(), store=trail.store, key=making.KEY)
        names = ("infirmary_audit_trail_broken", "infirmary_audit_trail_checked_timestamp_seconds")
        return tuple(REGISTRY.get_sample_value(name) for name in names)

    assert check() == (0, making.START.timestamp())
    trail.intrude("UPDATE entries SET entry = replace(entry, 'doctor-6', 'doctor-x') WHERE position = 7")
    assert check()[0] == 1


# Variants of them.
VARIANTS = {
    "hides an entry from searching": (
        ["UPDATE entries SET about = '{}' WHERE position = 7"],
        (7, "index_changed"),
    ),
    "lets an entry be found under another account": (
        ["UPDATE entries SET actor = 'somebody' WHERE position = 7"],
        (7, "index_changed"),
    ),
    "deletes the first entry": (["DELETE FROM entries WHERE position = 1"], (1, "entry_missing")),
    "deletes an entry and closes the gap": (
        [
            "DELETE FROM entries WHERE position = 7",
            "UPDATE entries SET position = -position WHERE position > 7",
            "UPDATE entries SET position = -position - 1 WHERE position < 0",
            "UPDATE chain_head SET position = 24",
        ],
        (7, "order_changed"),
    ),
    "swaps the contents of two entries": (
        [
            (
                "UPDATE entries AS one SET entry = other.entry, at = other.at, actor = other.actor"
                " FROM entries AS other WHERE (one.position, other.position) IN ((7, 8), (8, 7))"
            )
        ],
        (7, "entry_changed"),
    ),
    "empties the trail": (
        [
            "TRUNCATE entries, checkpoints",
            "UPDATE chain_head SET position = 0, hash = decode(repeat('00', 32), 'hex')",
        ],
        (1, "tail_missing"),
    ),
    "adds an entry after the head": (
        [another(26, of=25, previous="hash")],
        (26, "beyond_head"),
    ),
    "changes the head": (["UPDATE chain_head SET hash = sha256('x')"], (25, "head_changed")),
    "removes the head": (["DELETE FROM chain_head"], (1, "beyond_head")),
    "deletes the checkpoints of the database": (["DELETE FROM checkpoints"], (10, "checkpoint_missing")),
    "puts an entry of another trail in": (
        [
            (
                "UPDATE entries SET previous = sha256('x'),"
                " hash = sha256(sha256('x') || int8send(position) || convert_to(entry, 'UTF8')) WHERE position = 7"
            )
        ],
        (7, "order_changed"),
    ),
}


@pytest.mark.parametrize("attack", VARIANTS)
def test_the_check_names_the_first_place_where_an_intruder(trail, attack):
    statements, found = VARIANTS[attack]
    trail.intrude(*statements)
    assert trail.broken() == found


def test_a_trail_that_was_chained_anew_differs_from_its_own_checkpoints(trail):
    trail.chain_anew(7)
    assert trail.broken() == (10, "checkpoint_differs")


def test_a_second_place_that_has_lost_lines_stays_without_them_and_is_found_ever_after(trail):
    """To copy them again would hide that somebody was there."""
    trail.path.write_bytes(trail.path.read_bytes()[: trail.file.WIDTH])
    for number in range(25, 35):
        trail.receive(making.make_event(number))
    trail.checkpoint(making.START + timedelta(hours=9))
    assert [each.position for each in trail.file.between(1, last=99)] == [10, 35]
    assert trail.broken() == (20, "checkpoint_missing")


@pytest.mark.target("C-15")
def test_no_job_ever_deletes_an_entry(trail):
    """Seven years on, what is old is forgotten everywhere else; the trail is kept, longer than any law asks."""
    service = app.service(making.environ(trail.url, second_place=trail.path))
    with ExitStack() as at_end:
        for close in service.close:
            at_end.callback(close)
        for job in service.jobs:
            job.run(making.make_call(at=making.START + timedelta(days=7 * 366)))
    assert trail.rows("SELECT count(*), min(position) FROM entries") == [(25, 1)]
    assert trail.broken() is None


def test_without_a_second_place_the_check_says_so(trail):
    trail.chain_anew(7, change="DELETE FROM checkpoints")
    alone = AuditStore(trail.database, second_place=None)
    with alone.trail() as seen:
        found = model.verify(seen, key=making.KEY)
    assert (found.found, found.second_place) == (None, False)


def test_a_spoilt_line_of_the_second_place_is_found(trail):
    path = trail.path
    lines = bytearray(path.read_bytes())
    lines[300:310] = b"##########"
    path.write_bytes(lines)
    assert trail.broken() == (0, "checkpoint_forged")


def test_a_line_that_a_crash_has_cut_is_no_alarm_and_is_written_again(trail):
    """Whoever dies while writing a line has not noted yet that it was copied."""
    whole = trail.path.read_bytes()
    trail.intrude("DELETE FROM copied WHERE position = 20")
    trail.path.write_bytes(whole[:-100])
    assert trail.broken() is None
    assert trail.store.copy_checkpoints(making.make_call()) == 1
    assert trail.path.read_bytes() == whole
    assert trail.broken() is None


def test_ranges_are_checked_from_the_link_before(trail):
    trail.intrude("UPDATE entries SET entry = replace(entry, 'doctor-6', 'doctor-x') WHERE position = 7")
    assert trail.verify(first=8, last=25).found is None
    assert trail.verify(first=7, last=7).found == model.Break(7, model.BreakKind.ENTRY_CHANGED)
    assert trail.verify(first=1, last=6).next_position == 7


def test_a_range_before_which_an_entry_is_missing_is_broken(trail):
    trail.intrude("DELETE FROM entries WHERE position = 7")
    assert trail.verify(first=8).found == model.Break(7, model.BreakKind.ENTRY_MISSING)


def test_the_second_place_finds_a_range_by_halving(tmp_path):
    file = CheckpointFile(tmp_path / "c")
    heads = [model.Head(position, bytes([position % 256]) * 32) for position in range(10, 5000, 10)]
    file.append([model.signed(head, at=making.START, key=making.KEY) for head in heads])
    assert [each.position for each in file.between(995, last=1030)] == [1000, 1010, 1020, 1030]
    assert [each.position for each in file.between(1, last=10)] == [10]
    assert file.between(4991, last=9000) == []
    assert file.newest().position == 4990


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET actor = 'x' WHERE position = 7",
        "DELETE FROM entries WHERE position = 25",
        "TRUNCATE entries",
        "UPDATE checkpoints SET at = now()",
        "DELETE FROM checkpoints",
        "TRUNCATE checkpoints",
        "UPDATE copied SET position = 1",
        "DELETE FROM copied",
        "TRUNCATE copied",
        "DELETE FROM chain_head",
        "TRUNCATE chain_head",
        "UPDATE chain_head SET hash = sha256('x')",
        "UPDATE chain_head SET position = 20, hash = (SELECT hash FROM entries WHERE position = 20)",
        another(26, of=25, previous="previous"),
        another(27, of=25, previous="hash"),
        another(25, of=24, previous="previous"),
    ],
)
@pytest.mark.parametrize("replica", ["origin", "replica"])
def test_the_database_refuses_every_change_even_to_the_owner(trail, statement, replica):
    """The session that calls itself a replica is refused as well."""
    with psycopg.connect(trail.url) as connection:
        connection.execute(f"SET session_replication_role = {replica}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    assert trail.broken() is None


def test_the_database_refuses_several_entries_of_which_one_does_not_follow_the_one_before(trail):
    """Each is right by itself: the first follows the head, and the second would follow the head as well."""
    two = """
        INSERT INTO entries SELECT {position}, head.hash,
            sha256(head.hash || int8send({position}) || convert_to(entry, 'UTF8')), entry, gen_random_uuid()::text,
            at, actor, operation, action, outcome, about
        FROM entries, chain_head AS head WHERE entries.position = 25
    """
    with psycopg.connect(trail.url) as connection:
        connection.execute(two.format(position=26).encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(two.format(position=27).encode())
    assert trail.broken() is None


def test_a_role_that_may_only_insert_cannot_change_the_trail_by_grant(trail):
    """What the migration takes away, it takes from the owner too: a role without superuser rights sees it."""
    with psycopg.connect(trail.url) as connection:
        rights = connection.execute(
            "SELECT privilege_type FROM information_schema.role_table_grants WHERE table_name = 'entries'"
        ).fetchall()
    assert {"UPDATE", "DELETE", "TRUNCATE"} & {right for (right,) in rights} == set()
