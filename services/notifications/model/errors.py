"""Rules of notifications that can be broken, by name."""

from __future__ import annotations

from services.kernel.errors import Conflict, Invalid


class TemplateInvalid(Invalid):
    """Words that cannot be filled in or do not fit their channel; `facts` say where."""

    code = "template_invalid"
    title = "These words cannot be used"


class StillUnderWay(Conflict):
    """What is not over yet is not sent a second time beside it."""

    code = "still_under_way"
    title = "This message is still under way"


class NothingToSend(Conflict):
    """Its words were wiped, or there never were any because nobody was to be told."""

    code = "nothing_to_send"
    title = "Nothing is left of this message that could be sent"


class TooManySubscriptions(Conflict):
    """One person has ten browsers at most."""

    code = "too_many_subscriptions"
    title = "There are ten subscriptions already"


class ChannelNotSetUp(Conflict):
    """The house has no server for this channel."""

    code = "channel_not_set_up"
    title = "This channel is not set up"
