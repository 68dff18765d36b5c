r"""`python -m gateway`: write `envoy.yaml` and the files of the page, and start nothing.

    python -m gateway --endpoint identity=127.0.0.1:9001 --endpoint patients=127.0.0.1:9002,127.0.0.1:9003 \
        --set port=8080 --out .run/gateway

writes `.run/gateway/envoy.yaml` and `.run/gateway/page/`, which `envoy` finds where they lie; for another place of the
page in a container, give `--set files_dir=/etc/envoy/page`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from gateway import config, page, routes
from gateway.settings import SettingsError, read
from services.chassis.spec import ContractError

_OPENAPI = Path(__file__).resolve().parent.parent / "openapi"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the configuration; 0 when it is written, 2 with one line on stderr when it cannot be."""
    chosen = _parser().parse_args(arguments)
    folder = chosen.out.resolve()
    try:
        settings = read([f"files_dir={folder / 'page'}", *chosen.set])
        contracts = routes.contracts(chosen.openapi)
        document = config.build(contracts, endpoints=_endpoints(chosen), settings=settings)
        folder.mkdir(parents=True, exist_ok=True)
        print(config.write(folder, contracts=contracts, document=document))
    except (SettingsError, routes.RoutesError, ContractError, page.PageError, OSError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description="Makes Envoy's configuration from openapi/.")
    parser.add_argument("--openapi", type=Path, default=_OPENAPI, help="folder of the contracts")
    parser.add_argument("--endpoint", action="append", default=[], metavar="SERVICE=HOST:PORT[,…]")
    parser.add_argument("--endpoints", type=Path, help='a JSON file: {"patients": ["127.0.0.1:9001"], …}')
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="see gateway/settings.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for envoy.yaml and page/")
    return parser


def _endpoints(chosen: argparse.Namespace) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if chosen.endpoints:
        try:
            found = {name: list(addresses) for name, addresses in json.loads(chosen.endpoints.read_text()).items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise SettingsError(f"{chosen.endpoints} is not a JSON object of lists") from error
    for pair in chosen.endpoint:
        name, _, addresses = pair.partition("=")
        found.setdefault(name, []).extend(each for each in addresses.split(",") if each)
    return found


if __name__ == "__main__":
    sys.exit(main())
