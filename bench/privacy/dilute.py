"""How thin may a leak be and still be seen? tuckpoint beside anonymeter: `python -m bench.privacy.dilute DATA`.

Rows of a leaky table among real rows of other people, in shares that halve until neither of the two sees the leak any
more. The files are the same for both. anonymeter gives no verdict, so its risks are read in two ways (see README.md);
how often each accuses innocent tables stands below the table, for a detector that accuses them sees any leak.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bench.privacy import environments, outcomes
from bench.privacy.beside import ANONYMETER, ran
from bench.privacy.catalogue import CATALOGUE
from bench.privacy.files import arguments, folder_of, kept, obstacle, seed_of, splits
from bench.privacy.leaky import GENERATORS
from bench.privacy.report import caught
from bench.privacy.splits import Split
from bench.privacy.trial import audited
from bench.tables.report import lines
from tuckpoint.measure.intervals import clopper_pearson

DILUTED = outcomes.RESULTS / "dilute.jsonl"
SHARES = tuple(2.0**-halvings for halvings in range(10))
ALREADY_THIN = ("copies-1", "copies-5", "oddest-20")


def thinned(found: Split, leak: pa.Table, share: float, number: int) -> pa.Table:
    """Rows of other people, a share of them replaced by rows of the leaky table."""
    others, rows = found.seen.others, min(found.seen.others.num_rows, leak.num_rows)
    random = seed_of("dilute", number).child("rows").numpy()
    taken = random.permutation(rows)[: max(1, round(share * rows))]  # (k,) the thinner one is part of the thicker one
    return pa.concat_tables([others.slice(len(taken), rows - len(taken)), leak.take(taken)])


def seen(name: str, number: int, maker: str, found: Split, made: pa.Table) -> dict[str, Any]:
    """What both say of one table."""
    place = folder_of(name, number) / f"{maker}.parquet"
    pq.write_table(made, place)
    ours = audited(found, made, seed_of(name, number).child("audit", maker))
    theirs = next(iter(ran(name, number, [maker], "example", 300)))
    place.unlink()
    risks = theirs.get("risks", {})
    assert isinstance(risks, dict)
    return {
        "ours": ours["decision"] == "block",
        "p": ours["p"],
        "any": any(risk["low"] > 0 for risk in risks.values()),
        "joint": any(risk["low_joint"] > 0 for risk in risks.values()),
        "cpu_s": [ours["cpu_s"], theirs.get("cpu_s")],
        "failed": theirs.get("failed"),
    }


def thinner(name: str, number: int, leak: str, found: Split) -> Iterator[dict[str, Any]]:
    """Outcomes from the whole leak down, until neither sees it twice in a row."""
    done, blind = outcomes.read(DILUTED), 0
    table = kept(found, leak, name, number)
    for share in SHARES:
        maker = f"{leak}@{share:g}"
        place = {"set": name, "split": number, "maker": maker}
        item = done.get(outcomes.key(place))
        if item is None:
            item = {**place, "leak": leak, "share": share}
            item |= seen(name, number, maker, found, thinned(found, table, share, number))
            outcomes.note(DILUTED, item)
        yield item
        blind = 0 if item["ours"] or item["any"] else blind + 1
        if blind == 2:
            return


def thinnest(items: list[dict[str, Any]], who: str) -> float | None:
    """The smallest share down to which every share was seen."""
    last = None
    for item in sorted(items, key=lambda item: -item["share"]):
        if not item[who]:
            break
        last = float(item["share"])
    return last


def sheet(found: list[dict[str, Any]]) -> list[str]:
    """The outcomes as markdown."""
    rows = [["set", "leak", "splits", "tuckpoint", "anonymeter, any", "anonymeter, joint"]]
    for name, leak in sorted({(item["set"], item["leak"]) for item in found}):
        here = [item for item in found if (item["set"], item["leak"]) == (name, leak)]
        numbers = sorted({item["split"] for item in here})
        told = []
        for who in ("ours", "any", "joint"):
            least = [thinnest([item for item in here if item["split"] == number], who) for number in numbers]
            told.append(", ".join("none" if share is None else f"{float(f'{100 * share:.2g}'):g} %" for share in least))
        rows.append([name, leak, str(len(numbers)), *told])
    return [
        "# How thin a leak is seen",
        "",
        "`python -m bench.privacy.dilute DATA`: the smallest share of leaky rows among real rows of other people down",
        "to which every table was blocked (tuckpoint), or showed a risk above its control (anonymeter: any interval",
        "at 95 %, and at the level that leaves 5 % to all its risks together, as our decision does).",
        "",
        *lines(rows),
        "",
        *innocent(),
        "",
    ]


def innocent() -> list[str]:
    """How often the real rows of other people are accused, by each rule."""

    def told(count: int, of: int) -> str:
        low, high = clopper_pearson(count, of)
        return f"{count} of {of} ({100 * count / of:.0f} %, {100 * low:.0f} to {100 * high:.0f})"

    place = {"set": "adult", "maker": "other-people"}
    theirs = [
        item for item in outcomes.read(ANONYMETER).values()
        if place.items() <= item.items() and item["settings"] == "example" and item.get("risks")
    ]  # fmt: skip
    splits = {item["split"] for item in theirs}
    ours = [
        item for item in outcomes.read(CATALOGUE).values() if place.items() <= item.items() and item["split"] in splits
    ]
    if not theirs or not ours:
        return ["How often innocent tables are accused was not measured: see README.md."]
    any_, joint = (sum(caught(item, low) for item in theirs) for low in ("low", "low_joint"))
    return [
        "Innocent tables (real rows of other people) that are accused: "
        f"tuckpoint {told(sum(item.get('decision') == 'block' for item in ours), len(ours))}, "
        f"anonymeter, any {told(any_, len(theirs))}, anonymeter, joint {told(joint, len(theirs))}.",
        "A rule that accuses every third innocent table is no detector; *joint*, which accuses no fewer than we do, is",
        "the one to compare with.",
    ]


def main() -> int:
    leaks = [name for name, item in GENERATORS.items() if item.truth == "leaky" and name not in ALREADY_THIN]
    given = arguments(__doc__, leaks, ["adult"], 2).parse_args()
    if why := obstacle(given) or environments.absent("anonymeter"):
        print(why, file=sys.stderr)
        return 2
    for name, number, found in splits(given.data, given.sets, range(given.first, given.first + given.splits)):
        for leak in given.makers:
            for item in thinner(name, number, leak, found):
                print(name, number, item["maker"], item["ours"], item["any"], item["joint"], item["cpu_s"], flush=True)
            text = "\n".join(sheet(list(outcomes.read(DILUTED).values())))
            (outcomes.RESULTS / "dilute.md").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
