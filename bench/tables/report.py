"""Turn the outcomes into tables: `python -m bench.tables.report` writes results/SET.md and results/summary.md."""

from __future__ import annotations

import math
import sys
from collections import defaultdict
from collections.abc import Callable
from statistics import fmean, variance
from typing import Any

from bench.tables.environments import PEERS
from bench.tables.run import RESULTS, outcomes
from bench.tables.sets import SETS

Outcome = dict[str, Any]
Reader = Callable[[Outcome], float | None]


def scored(name: str) -> Reader:
    """Reads one score of an outcome; None where it was not measured."""
    return lambda outcome: outcome.get("scores", {}).get(name)


def spent(stage: str, what: str) -> Reader:
    """Reads CPU or wall seconds of a stage."""
    return lambda outcome: outcome[stage][what] if stage in outcome else None


def both(what: str) -> Reader:
    """Reads seconds of fit and sample together."""
    return lambda outcome: outcome["fit"][what] + outcome["sample"][what] if "fit" in outcome else None


Heading = tuple[str, Reader, str, str | None]  # heading, value, format, the real rows' own score

HEAD: tuple[Heading, ...] = (
    ("C2ST", scored("c2st"), ".3f", "c2st_null"),
    ("TSTR", scored("tstr"), ".4f", "trtr"),
    ("MIA", scored("mia"), ".3f", None),
    ("copies", scored("copies"), ".4f", "copies_floor"),
    ("TVD2 eq", scored("tvd2_eq"), ".4f", "tvd2_floor"),
    ("fit CPU-s", spent("fit", "cpu_s"), ".1f", None),
    ("sample CPU-s", spent("sample", "cpu_s"), ".1f", None),
    ("wall s", both("wall_s"), ".1f", None),
    ("MB", lambda outcome: outcome.get("peak_mb"), ".0f", None),
)
MORE: tuple[Heading, ...] = (
    ("C2ST train", scored("c2st_train"), ".3f", None),
    ("every column", scored("global"), ".4f", "global_floor"),
    ("TVD1 eq", scored("tvd1_eq"), ".4f", "tvd1_floor"),
    ("TVD2", scored("tvd2"), ".4f", None),
    ("Spearman", scored("spearman"), ".4f", "spearman_floor"),
    ("missing", scored("missing"), ".4f", "missing_floor"),
    ("rules obeyed", scored("rules"), ".4f", "rules_floor"),
    ("rare levels", scored("rare"), ".3f", "rare_floor"),
    ("DCR", scored("dcr"), ".3f", None),
    ("near copies", scored("near"), ".4f", "near_floor"),
)


def cell(values: list[float], form: str) -> str:
    """Mean, and the range over seeds where there are several."""
    if not values:
        return "-"
    mean = f"{sum(values) / len(values):{form}}"
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return mean if low == high else f"{mean} ({low}..{high})"


def lines(rows: list[list[str]]) -> list[str]:
    """A markdown table; the first row is its head."""
    return [f"| {' | '.join(row)} |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:])]


def sheet(name: str, found: dict[str, list[Outcome]]) -> list[str]:
    """The tables of one set: the real rows first, then generators by falling fidelity, then what must be known."""
    scores: dict[str, float] = next((o["scores"] for group in found.values() for o in group if o.get("scores")), {})
    sides = ", ".join(f"{key[2:]} {value:.0f}" for key, value in scores.items() if key.startswith("n_"))
    ready = {peer: [o for o in group if "stopped" not in o] for peer, group in found.items()}
    ready = {peer: group for peer, group in ready.items() if group}
    order = sorted(ready, key=lambda peer: mean(ready[peer], scored("c2st")))
    out = [f"## {name}", "", f"Target `{SETS[name].target}`. Rows: {sides}.", ""]
    for headings in (HEAD, MORE):
        rows = [["generator", "seeds", *(heading for heading, *_ in headings)]]
        rows.append(
            ["real rows", "", *(f"{scores[ref]:{form}}" if ref in scores else "" for *_, form, ref in headings)]
        )
        rows += [[peer, str(len(ready[peer])), *cells(ready[peer], headings)] for peer in order]
        out += [*lines(rows), ""]
    return [*out, *(remark for peer, group in found.items() for remark in remarks(peer, group)), ""]


def cells(group: list[Outcome], headings: tuple[Heading, ...]) -> list[str]:
    """The figures of one generator, over its seeds."""
    return [cell([v for o in group if (v := read(o)) is not None], form) for _, read, form, _ in headings]


def remarks(peer: str, group: list[Outcome]) -> list[str]:
    """What was limited, what stopped, and what the generator told of its training."""
    version = next((outcome["version"] for outcome in group if "version" in outcome), "")
    limits = [f"- {peer} {version}: {PEERS[peer].limits}"] if PEERS[peer].limits else []
    told = [(o["seed"], "; ".join(filter(None, (o.get("stopped") or o.get("note"), o.get("commit"))))) for o in group]
    return limits + [f"- {peer} {version}, seed {seed}: {text}" for seed, text in told if text]


def mean(group: list[Outcome], read: Reader) -> float:
    """Mean over seeds; not a number where nothing was measured."""
    values = [value for outcome in group if (value := read(outcome)) is not None]
    return sum(values) / len(values) if values else math.nan


def least(group: list[Outcome], read: Reader) -> float:
    """Least over seeds: a busy core only ever adds to what a program spends."""
    return min((value for outcome in group if (value := read(outcome)) is not None), default=math.nan)


def beside(found: dict[str, dict[str, list[Outcome]]], ours: str = "tuckpoint") -> list[str]:
    """tuckpoint against each peer on each set: detection, utility lost, CPU and memory spent."""
    head = ["set", "peer", "seeds", "C2ST: ours - theirs", "TSTR: ours - theirs", "MIA: ours - theirs"]
    head += ["least CPU-s: theirs/ours", "MB: theirs / ours"]
    rows = [head]
    memory: Reader = HEAD[-1][1]
    for name, peers in found.items():
        own = peers.get(ours, [])
        for peer, group in peers.items():
            if not own or peer.startswith("tuckpoint") or all("stopped" in outcome for outcome in group):
                continue
            scores = [apart(own, group, scored(score)) for score in ("c2st", "tstr", "mia")]
            cpu = f"{least(group, both('cpu_s')) / least(own, both('cpu_s')):.1f}"
            seeds = f"{len(own)}, {len(group)}"
            rows.append([name, peer, seeds, *scores, cpu, f"{mean(group, memory) / mean(own, memory):.1f}"])
    note = "Differences of means over seeds, with standard errors (one seed: none). Lower C2ST and MIA are better."
    return ["# tuckpoint beside each peer", "", note, "", *lines(rows), ""] if len(rows) > 1 else []


def apart(own: list[Outcome], group: list[Outcome], read: Reader) -> str:
    """The difference of two means over seeds, and its standard error where both have several."""
    sides = [[value for outcome in side if (value := read(outcome)) is not None] for side in (own, group)]
    if not all(sides):
        return "-"
    difference = f"{fmean(sides[0]) - fmean(sides[1]):+.4f}"
    if any(len(side) < 2 for side in sides):
        return difference
    return f"{difference} ± {math.sqrt(sum(variance(side) / len(side) for side in sides)):.4f}"


def main() -> int:
    found: dict[str, dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for (name, peer, _), outcome in sorted(outcomes().items()):
        found[name][peer].append(outcome)
    for name in SETS:
        if name in found:
            (RESULTS / f"{name}.md").write_text("\n".join(sheet(name, found[name])), encoding="utf-8")
    summary = beside({name: found[name] for name in SETS if name in found})
    if summary:
        (RESULTS / "summary.md").write_text("\n".join(summary), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
