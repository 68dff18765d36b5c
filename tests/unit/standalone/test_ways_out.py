"""What a house gives to whoever sends messages: settings with which every channel ends in its inbox."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from uuid import UUID

import pytest
import urllib3

from services.chassis import config
from services.notifications.model.channels import Outgoing
from services.notifications.repository.channels import ChannelSettings, channels
from services.notifications.repository.channels import settings as channel_settings
from standalone.house import House
from standalone.layout import Layout
from standalone.servers import envoy, ports
from standalone.settings import HouseSettings
from tests.waiting import wait_for

APP = '''
from services.chassis import config, sql

class PostSettings(ChannelSettings):
    """What it needs."""

    database_url: SecretStr
    reply_secret: SecretStr
'''


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house of one service, which takes the settings of the channels up by inheriting them."""
    service = tmp_path / "tree" / "services" / "post"
    service.mkdir(parents=True)
    (service / "app.py").write_text(APP)
    (service / "channels.py").write_text(Path(channel_settings.__file__).read_text())
    layout = Layout(tmp_path / "home")
    layout.make()
    taken = {"inbox": ports.free(), "smtp": ports.free()}
    settings = HouseSettings(home=layout.home, ports=taken, scale={}, addresses={})
    return House(settings, layout=layout, root=tmp_path / "tree")


@pytest.fixture
def inbox(house: House):
    """The inbox as the house runs it."""
    part = house.inbox_part()
    process = subprocess.Popen(part.command(), env=part.environ, cwd=Path(__file__).parents[3])
    wait_for(lambda: envoy.answers(f"{house.inbox_url}/healthz"), what="the inbox answers")
    yield house.inbox_url
    process.kill()
    process.wait()


def test_every_channel_ends_in_the_inbox(house: House, inbox: str):
    given = house.values("post")
    settings = config.load(ChannelSettings, given)
    with urllib3.PoolManager() as http:
        browser = http.request("POST", f"{inbox}/push/subscriptions").json()
        addresses = {"email": "zoe@example.org", "sms": "+12025550100", "push": json.dumps(browser)}
        for channel in channels(settings):
            channel.send(
                Outgoing(
                    delivery_id=UUID(int=7), to=addresses.pop(channel.name), from_name="House", subject="Hello",
                    text="There.", language="en", request_id="r",
                )
            )  # fmt: skip
            channel.close()
        found = http.request("GET", f"{inbox}/api/messages").json()["items"]
    assert addresses == {}
    assert {each["kind"] for each in found} == {"email", "sms", "push"}


def test_secrets_of_the_channels_are_made_once(house: House):
    first, again = house.values("post"), house.values("post")
    assert first == again
    assert len(first["REPLY_SECRET"]) == 43
    assert "SMTP_CA_FILE" not in first
