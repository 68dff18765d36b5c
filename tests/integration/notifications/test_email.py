"""E-mail to real servers: kept connections, what refusals mean, and what is known when a connection breaks."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from services.notifications.model.channels import ChannelAway, Deferred, OutcomeUnknown, Refused
from services.notifications.repository.channels.email import EmailChannel, Relay
from tests.integration.notifications.servers import Taken, greet, mail_server, take_until_data
from tests.scripted import scripted
from tests.unit.notifications.making_messages import DELIVERY, INVITATION, message
from tests.waiting import wait_for

SHORT_S = 0.6


@contextmanager
def channel(port, **given):
    relay = Relay(host="127.0.0.1", port=port, tls="none")
    made = EmailChannel(relay, sender="house@clinic.example", clock=lambda: datetime(2030, 1, 1, tzinfo=UTC), **given)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def taken():
    return Taken()


def test_messages_go_over_one_connection_and_are_named(taken):
    with mail_server(taken) as port, channel(port) as email:
        references = [email.send(message(text=f"Number {number}\n.\n..dots\n")).reference for number in range(20)]
        assert (taken.opened, len(taken.mails)) == (1, 20)
        assert references == ["4F2B-x"] * 20
        assert b"Number 19" in taken.mails[-1]
        assert all(f"<{DELIVERY}@clinic.example>".encode() in each for each in taken.mails)
    wait_for(lambda: taken.closed == 1, what="goodbye")


def test_lines_that_begin_with_a_dot_arrive_as_they_were_written(taken):
    with mail_server(taken) as port, channel(port) as email:
        email.send(message(text=".\n..\n.hidden\nlast"))
    assert taken.mails[0].endswith(b"\r\n\r\n.\r\n..\r\n.hidden\r\nlast\r\n")


def test_a_connection_that_nobody_uses_is_closed(taken):
    with mail_server(taken) as port, channel(port, idle_s=0.3) as email:
        email.send(message())
        wait_for(lambda: taken.closed == 1, what="the idle connection closed")
        email.send(message())
        assert (taken.opened, len(taken.mails)) == (2, 2)


def test_a_connection_that_the_server_has_closed_is_opened_again(taken):
    with mail_server(taken, timeout=0.3) as port, channel(port) as email:
        email.send(message())
        wait_for(lambda: taken.closed == 1, what="the server's goodbye")
        email.send(message())
        assert (taken.opened, len(taken.mails)) == (2, 2)


def test_a_server_that_counts_messages_gets_a_new_connection_and_loses_none():
    """It takes one message on each connection and says 421 at the next."""

    def one_each(line):
        greet(line)
        take_until_data(line)
        line.say("250 ok")
        line.hear()
        line.say("421 enough")

    with scripted(one_each) as server, channel(server.port) as email:
        for _ in range(3):
            email.send(message())
        assert server.connections == 3


@pytest.mark.parametrize(
    ("step", "reply", "kind", "code"),
    [
        ("RCPT", "450 zoe@example.org is busy", Deferred, "smtp_450"),
        ("RCPT", "451 greylisted", Deferred, "smtp_451"),
        ("RCPT", "421 shutting down", Deferred, "smtp_421"),
        ("RCPT", "550 no zoe@example.org here", Refused, "smtp_550"),
        ("RCPT", "530 who are you", ChannelAway, "smtp_530"),
        ("DATA", "452 full", Deferred, "smtp_452"),
        ("DATA", "554 spam", Refused, "smtp_554"),
        ("MAIL", "451 later", Deferred, "smtp_451"),
        ("MAIL", "550 not from you", ChannelAway, "smtp_550"),
        ("MAIL", "552 too large", Refused, "smtp_552"),
    ],
)
def test_an_answer_of_the_server_means(taken, step, reply, kind, code):
    taken.replies[step] = reply
    with mail_server(taken) as port, channel(port) as email:
        with pytest.raises(kind) as told:
            email.send(message())
        assert type(told.value) is kind
        assert (told.value.code, str(told.value)) == (code, code)
        taken.replies.clear()
        email.send(message())
        assert len(taken.mails) == 1


def test_a_refused_reader_does_not_stop_the_next_on_the_same_connection(taken):
    taken.replies["bad@example.org"] = "550 nobody"
    with mail_server(taken) as port, channel(port) as email:
        for to in ("a@example.org", "bad@example.org", "b@example.org"):
            try:
                email.send(message(to=to))
            except Refused:
                assert to == "bad@example.org"
        assert (taken.receivers, taken.opened) == (["a@example.org", "b@example.org"], 1)
        assert taken.commands == ["RSET"]


def test_an_address_in_another_script_goes_out_where_the_server_can_take_it(taken):
    with mail_server(taken, enable_SMTPUTF8=True) as port, channel(port) as email:
        email.send(message(to="zoë@bücher.example", invitation=INVITATION))
        assert taken.receivers == ["zoë@xn--bcher-kva.example"]
        assert "SMTPUTF8" in taken.options[0]
        assert "To: zoë@xn--bcher-kva.example".encode() in taken.mails[0]
        email.send(message(to="zoe@bücher.example"))
        assert "SMTPUTF8" not in taken.options[1]


def test_an_address_in_another_script_is_refused_where_the_server_cannot(taken):
    with mail_server(taken, enable_SMTPUTF8=False) as port, channel(port) as email:
        with pytest.raises(Refused, match="smtp_no_utf8"):
            email.send(message(to="zoë@example.org"))
        email.send(message(to="zoe@bücher.example"))
        assert taken.receivers == ["zoe@xn--bcher-kva.example"]


def test_where_nobody_listens_the_channel_is_away(unused_port):
    with channel(unused_port) as email, pytest.raises(ChannelAway, match="smtp_away"):
        email.send(message())


@pytest.mark.parametrize(("greeting", "code"), [("554 closed", "smtp_554"), ("421 busy", "smtp_421")])
def test_a_server_that_greets_with_no_is_away(greeting, code):
    with scripted(lambda line: line.say(greeting)) as server, channel(server.port) as email:
        with pytest.raises(ChannelAway) as told:
            email.send(message())
        assert told.value.code == code


def drops_at(step: int):
    """A server that hangs up after so many commands of a message, without an answer to the last."""

    def script(line):
        greet(line)
        for reply in ("250 ok", "250 ok", "354 go on")[:step]:
            line.hear()
            line.say(reply)
        line.hear()

    return script


@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_connection_that_breaks_before_the_text_has_sent_nothing(step):
    with (
        scripted(drops_at(step)) as server,
        channel(server.port) as email,
        pytest.raises(Deferred, match="smtp_lost"),
    ):
        email.send(message())


def test_a_connection_that_breaks_after_the_text_leaves_the_outcome_unknown():
    def drops(line):
        greet(line)
        take_until_data(line)

    with (
        scripted(drops) as server,
        channel(server.port) as email,
        pytest.raises(OutcomeUnknown, match="smtp_no_answer"),
    ):
        email.send(message())


@pytest.mark.timeout(10)
def test_no_answer_in_time_leaves_the_outcome_unknown_and_the_connection_is_not_used_again():
    def rests(line):
        greet(line)
        take_until_data(line)
        line.rest()

    with scripted(rests) as server, channel(server.port, whole_s=SHORT_S) as email:
        for _ in range(2):
            with pytest.raises(OutcomeUnknown):
                email.send(message())
        assert server.connections == 2


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        (lambda line: line.trickle("220-" + "slow" * 500), ChannelAway),
        (lambda line: (greet(line), line.hear(), line.trickle("250-" + "slow" * 500)), Deferred),
        (lambda line: (greet(line), take_until_data(line), line.trickle("250-" + "slow" * 500)), OutcomeUnknown),
    ],
)
@pytest.mark.timeout(10)
def test_a_server_that_only_trickles_does_not_hold_us_up(says, kind):
    with scripted(says) as server, channel(server.port, whole_s=SHORT_S) as email, pytest.raises(kind):
        email.send(message())
