"""How often does the audit block the innocent? `python -m bench.privacy.nulls DATA --splits 200`.

Real rows of other people, and private marginals at three budgets: a generator that leaks nothing, and one that leaks at
most what its epsilon allows. Each split deals the people anew; the splits of one table overlap.
"""

from __future__ import annotations

import sys

from bench.privacy import outcomes
from bench.privacy.catalogue import study
from bench.privacy.files import arguments
from bench.privacy.leaky import GENERATORS

NULLS = outcomes.RESULTS / "nulls.jsonl"
INNOCENT = [name for name, item in GENERATORS.items() if item.truth == "innocent"]


def main() -> int:
    parser = arguments(__doc__, INNOCENT, ["adult"], 200)
    parser.add_argument("--again", action="store_true", help="run what was run before once more")
    return study(parser.parse_args(), NULLS, files=False)


if __name__ == "__main__":
    sys.exit(main())
