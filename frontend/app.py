"""The composition root of the web UI: settings, sessions, the API, the areas, and what serves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from frontend.entrance import Front, PagesFace
from frontend.live import Live
from frontend.names import Known
from frontend.pages import application
from frontend.session import Sessions
from services.chassis import config, redis, spec
from services.chassis.bridge import Bridge
from services.chassis.client import Client
from services.chassis.entrance import Entrance
from services.chassis.following import Follower
from services.chassis.readiness import missing

STREAM: Final = "events.appointments"
_BLOCKING_S: Final = 5.0


class FrontendSettings(config.ProcessSettings):
    """What the web UI needs to know.

    public_url: what browsers show, with its scheme; a change must come from there. session_secret: seals drafts.
    sign_in_provider: what the outside provider of `identity` is called on the button to it; without one there is none.
    """

    schemes: ClassVar[Mapping[str, tuple[str, ...]]] = {"bus_url": config.REDIS, "public_url": ("http", "https")}

    public_url: str
    session_secret: SecretStr
    sign_in_provider: str | None = None
    identity_url: str
    audit_url: str
    patients_url: str
    history_url: str
    doctors_url: str
    appointments_url: str
    notifications_url: str
    reports_url: str

    @property
    def urls(self) -> Mapping[str, str]:
        """Base address by name of service."""
        return {name: str(getattr(self, f"{name}_url")) for name in spec.services(self.openapi_dir)}


class Frontend:
    """The web UI as a process runs it; building one opens no connection."""

    name = "frontend"

    def __init__(self, settings: FrontendSettings) -> None:
        self.settings = settings
        bus = redis.client(settings.bus_url.get_secret_value(), connections=settings.threads + 2)
        self._bus = bus
        self._client = Client(settings.openapi_dir, urls=settings.urls, connections=settings.threads)
        sessions = Sessions(bus, secret=settings.session_secret.get_secret_value())
        self.flask = application(
            sessions=sessions,
            client=self._client,
            known=Known(),
            public=urlsplit(settings.public_url),
            provider=settings.sign_in_provider,
            root=Path(__file__).parent,
        )
        self._live = Live(sessions, is_secure=settings.public_url.startswith("https"))
        self._bridge = Bridge(self.flask.wsgi_app, threads=settings.threads)
        self._entrance = Entrance(Front(self._bridge), face=PagesFace(self.flask), ready=self._away)

    @property
    def close(self) -> Sequence[Callable[[], None]]:
        """What gives connections back."""
        return [self._bus.close, self._client.close]

    @property
    def start_checks(self) -> Sequence[Callable[[], None]]:
        """Nothing refuses a start: without Redis it is not ready, and says so."""
        return ()

    @property
    def wanted(self) -> Mapping[str, Callable[[], None]]:
        """What it cannot work without: where sessions are. A service that is away takes its own pages along only."""
        return {"bus": self._ping}

    def start(self, closing: ExitStack) -> None:
        """Begin to hear of appointments."""
        ears = redis.client(self.settings.bus_url.get_secret_value(), timeout_s=_BLOCKING_S)
        follower = Follower(ears, streams=[STREAM], heard=self._live.heard, lost=self._live.lost)
        follower.start()
        closing.callback(follower.stop)
        closing.callback(self._bridge.close)

    def drain(self) -> None:
        """The end begins: take no more, and let live pages look for another process."""
        self._entrance.drain()
        self._live.end()

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """ASGI: what stays open beside what is answered and over."""
        if scope["type"] == "http" and scope["path"] == "/live":
            await self._live(scope, receive, send)
        else:
            await self._entrance(scope, receive, send)

    def _away(self) -> dict[str, str]:
        return missing(self.wanted)

    def _ping(self) -> None:
        with redis.translated():
            self._bus.ping()


def program(environ: Mapping[str, str]) -> Frontend:
    """The web UI with the settings of an environment.

    Raises:  SettingsError.
    """
    return Frontend(config.load(FrontendSettings, environ))
