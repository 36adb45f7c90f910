"""Build each peer's own environment: `python -m bench.tables.environments make cart mostlyai sdv arf` (or `all`).

Each environment is a venv under `bench/tables/envs` (not tracked) filled from `requirements/NAME.txt`, a complete list
of pinned distributions that is installed without resolving, so that a peer's own wrong pins cannot break it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = ("cart", "mostlyai", "sdv", "arf")


@dataclass(frozen=True)
class Peer:
    """One generator: the environment and adapter that it runs in, its licence, its settings, what a reader must know.

    `environment` None is the project's own. `settings` are the library's defaults unless `limits` says otherwise.
    """

    environment: str | None
    adapter: str
    licence: str
    settings: dict[str, Any] = field(default_factory=dict)
    limits: str = ""


PEERS: dict[str, Peer] = {
    "tuckpoint": Peer(None, "tuckpoint", "Apache-2.0", {"engine": "trees"}),
    # The dial towards plain CART: what it buys in detection, and costs in membership.
    "tuckpoint-fine": Peer(None, "tuckpoint", "Apache-2.0", {"engine": "trees", "settings": {"leaf": 10, "bag": 0.6}}),
    "tuckpoint-finest": Peer(
        None, "tuckpoint", "Apache-2.0", {"engine": "trees", "settings": {"leaf": 5, "bag": 0.9, "stacked": 0.0}}
    ),
    "tuckpoint-auto": Peer(None, "tuckpoint", "Apache-2.0", {"engine": "auto"}),
    "tuckpoint-independent": Peer(None, "tuckpoint", "Apache-2.0", {"engine": "independent"}),
    "cart": Peer("cart", "cart", "this repository; scikit-learn BSD-3-Clause", {"leaf": 5}),
    "cart-full": Peer("cart", "cart", "this repository; scikit-learn BSD-3-Clause", {"leaf": 5, "split": 10}),
    "cart20": Peer("cart", "cart", "this repository; scikit-learn BSD-3-Clause", {"leaf": 20}),
    "shuffled": Peer("cart", "independent", "this repository", {}),
    "mostlyai": Peer("mostlyai", "mostlyai", "Apache-2.0"),
    "copula": Peer("sdv", "sdv", "BUSL-1.1: bench only", {"synthesizer": "GaussianCopula"}),
    "tvae": Peer(
        "sdv", "sdv", "BUSL-1.1: bench only", {"synthesizer": "TVAE", "epochs": 60}, "60 of the default 300 epochs"
    ),
    "ctgan": Peer(
        "sdv", "sdv", "BUSL-1.1: bench only", {"synthesizer": "CTGAN", "epochs": 30}, "30 of the default 300 epochs"
    ),
    "arf": Peer("arf", "arf", "MIT"),
}


def interpreter(environment: str | None, home: Path = HERE) -> Path:
    """The Python of an environment of the bench at home; the running one for None."""
    return Path(sys.executable) if environment is None else home / "envs" / environment / "bin" / "python"


def make(environment: str, home: Path = HERE) -> None:
    """Create the environment anew from its pinned list."""
    folder = home / "envs" / environment
    venv.create(folder, with_pip=True, clear=True)
    requirements = home / "requirements" / f"{environment}.txt"
    command = [interpreter(environment, home), "-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]
    subprocess.run([str(part) for part in command], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["make", "list"])
    parser.add_argument("names", nargs="*", metavar="ENVIRONMENT", help=f"all, or of: {', '.join(ENVIRONMENTS)}")
    given = parser.parse_args()
    if given.verb == "list":
        for name, peer in PEERS.items():
            state = "ready" if interpreter(peer.environment).exists() else "not made"
            print(f"{name:22} {peer.environment or 'project':10} {state:9} {peer.licence}  {peer.limits}")
        return 0
    names = ENVIRONMENTS if given.names == ["all"] else tuple(given.names)
    if unknown := sorted(set(names) - set(ENVIRONMENTS)):
        parser.error(f"no environment {', '.join(unknown)}; there are: {', '.join(ENVIRONMENTS)}")
    for name in names:
        print(f"making {name} ...", flush=True)
        make(name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
