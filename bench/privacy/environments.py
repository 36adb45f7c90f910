"""Make the environments that this bench needs beside the project's own: `python -m bench.privacy.environments`.

`anonymeter` is this bench's (requirements/anonymeter.txt, complete and pinned), `cart` the table bench's, whose CART
serves here as a generator that memorises.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.tables import environments

HERE = Path(__file__).resolve().parent
HOMES = {"anonymeter": HERE, "cart": environments.HERE}


def interpreter(environment: str) -> Path:
    """The Python of an environment, made or not."""
    return environments.interpreter(environment, HOMES[environment])


def absent(*names: str) -> str | None:
    """What to do about environments that have not been made; None if all have."""
    lost = [name for name in names if not interpreter(name).exists()]
    return f"make first: python -m bench.privacy.environments {' '.join(lost)}" if lost else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*HOMES, []], help="default: those not made yet", metavar="NAME")
    given = parser.parse_args()
    for name in given.names or [name for name in HOMES if absent(name)]:
        print(f"making {name} ...", flush=True)
        environments.make(name, HOMES[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
