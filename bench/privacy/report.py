"""Turn the outcomes into tables, one page a study under results: `python -m bench.privacy.report`."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from statistics import mean, median

from bench.privacy import outcomes
from bench.privacy.leaky import GENERATORS
from bench.privacy.outcomes import Outcome
from bench.privacy.splits import SOURCES
from bench.tables.report import lines
from tuckpoint.measure.intervals import clopper_pearson

Grouped = dict[str, dict[str, list[Outcome]]]


def grouped(found: Iterable[Outcome]) -> Grouped:
    """Outcomes by table and generator, in the order of both lists."""
    out: Grouped = defaultdict(lambda: defaultdict(list))
    place = {name: i for i, name in enumerate([*SOURCES, *GENERATORS])}
    for item in sorted(found, key=lambda item: (place[item["set"]], place[item["maker"]], item["split"])):
        out[item["set"]][item["maker"]].append(item)
    return out


def share(count: int, n: int) -> str:
    """A count of trials with its Clopper-Pearson interval."""
    low, high = clopper_pearson(count, n)
    return f"{count} of {n} ({count / n:.1%}, {low:.1%}..{high:.1%})"


def commonest(names: Iterable[str | None], most: int = 2) -> str:
    """The commonest names with their counts."""
    counts = Counter(name for name in names if name)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common(most)) or "-"


def blocked(group: list[Outcome]) -> int:
    """How many were blocked."""
    return sum(item.get("decision") == "block" for item in group)


def judged(group: list[Outcome]) -> list[Outcome]:
    """Those that the audit could judge."""
    return [item for item in group if "failed" not in item]


def catalogue(found: Grouped) -> list[str]:
    """Each generator on each table: blocked how often, by what, and the loss that was certified."""
    out = ["# The leak catalogue", "", *_key(), "", *overview(found), ""]
    head = ["generator", "truth", "blocked", "first to fire", "fired", "epsilon at least", "CPU-s"]
    for name, makers in found.items():
        rows = [head]
        for maker, group in makers.items():
            whole = judged(group)
            fired = Counter(attack for item in whole for attack in item["fired"])
            loss = [item["epsilon"] for item in whole if item["epsilon"] is not None]
            rows.append([
                maker, GENERATORS[maker].truth, f"{blocked(group)} of {len(group)}",
                commonest(item["attack"] for item in whole if item["attack"] in item["fired"]),
                ", ".join(f"{attack} {count}" for attack, count in fired.most_common()) or "-",
                f"{median(loss):.2f} ({min(loss):.2f}..{max(loss):.2f})" if loss else "-",
                f"{mean(item['cpu_s'] for item in whole):.1f}" if whole else "-",
            ])  # fmt: skip
        people = {item["people"] for group in makers.values() for item in judged(group)}
        out += [f"## {name}", "", f"{_span(people)} people a side.", "", *lines(rows), ""]
    return [*out, *_commits(found), *_failures(found)]


def overview(found: Grouped) -> list[str]:
    """Blocked splits of each generator on each table."""
    rows = [["blocked", "truth", *found]]
    for maker, item in GENERATORS.items():
        cells = [f"{blocked(g)} of {len(g)}" if (g := makers.get(maker)) else "-" for makers in found.values()]
        if set(cells) != {"-"}:
            rows.append([maker, item.truth, *cells])
    return lines(rows)


def nulls(found: Grouped) -> list[str]:
    """The innocent: blocked how often, with interval, and for what."""
    out = ["# How often the innocent are blocked", ""]
    out += ["Clopper-Pearson intervals at 95 %; the audit allows 5 %. Splits of one table overlap.", ""]
    rows = [["table", "generator", "blocked", "by", "controls that failed", "claim refuted"]]
    for name, makers in found.items():
        for maker, group in makers.items():
            wrong = [item for item in judged(group) if item["decision"] == "block"]
            controls = [control for item in judged(group) for control in item["failed_controls"]]
            incidents = sum(any(why.startswith("incident") for why in item["reasons"]) for item in wrong)
            fired = commonest((attack for item in wrong for attack in item["fired"]), 5)
            told = [name, maker, share(blocked(group), len(group)), fired, commonest(controls), str(incidents)]
            rows.append(told)
    return [*out, *lines(rows), "", *_commits(found), *_failures(found)]


def beside(ours: Grouped, theirs: dict[str, Grouped]) -> list[str]:
    """tuckpoint and anonymeter on the same files: those that both judged."""
    out = ["# tuckpoint beside anonymeter, on the same files", "", *_rule(theirs), ""]
    head = ["generator", "truth", "tuckpoint", *(f"{name}, {rule}" for name in theirs for rule in ("any", "joint"))]
    head += ["its strongest risk", "CPU-s: tuckpoint", *(f"CPU-s: {name}" for name in theirs)]
    for name in SOURCES:
        if not any(name in found for found in theirs.values()) or name not in ours:
            continue
        rows = [head]
        for maker, group in ours[name].items():
            peers = {settings: judged(found[name][maker]) for settings, found in theirs.items()}
            common = set.intersection(
                *({item["split"] for item in peer} for peer in peers.values() if peer), _of(group)
            )
            if not any(peers.values()):
                continue
            own = [item for item in judged(group) if item["split"] in common]
            both = {s: [item for item in peer if item["split"] in common] for s, peer in peers.items()}
            seen = [f"{sum(caught(item, low) for item in both[s])} of {len(both[s])}" for s in both for low in RULES]
            strongest = commonest((_strongest(item) for peer in both.values() for item in peer), 1)
            costs = [f"{mean(item['cpu_s'] for item in peer):.1f}" if peer else "-" for peer in (own, *both.values())]
            rows.append([maker, GENERATORS[maker].truth, f"{blocked(own)} of {len(own)}", *seen, strongest, *costs])
        out += [f"## {name}", "", *lines(rows), ""]
    return out


RULES = ("low", "low_joint")


def caught(item: Outcome, low: str) -> bool:
    """Whether one of its risks, whose attack beats random guesses, has a lower bound above 0."""
    return any(risk[low] > 0 and risk["trusted"] for risk in item["risks"].values())


def _strongest(item: Outcome) -> str:
    best = max(item["risks"].items(), key=lambda named: named[1]["low_joint"])
    return best[0] if best[1]["low_joint"] > 0 else "none"


def _of(group: list[Outcome]) -> set[int]:
    return {item["split"] for item in judged(group)}


def speed(found: Iterable[Outcome]) -> list[str]:
    """What an audit costs, and what takes how much of it."""
    whole = sorted(found, key=lambda item: int(item["rows"]))
    out = ["# What an audit costs", "", "One core. Memory with library and tables loaded, before and at most.", ""]
    rows = [
        ["table", "rows a side", "people compared", "columns", "CPU-s", "wall s", "MB before", "MB at most", "commit"]
    ]
    for item in whole:
        size = [item["set"], f"{item['rows']:,}", f"{item['people']:,}", str(item["columns"])]
        cost = [f"{item['cpu_s']:.1f}", f"{item['wall_s']:.1f}", str(item["before_mb"]), str(item["peak_mb"])]
        rows.append([*size, *cost, item["commit"]])
    out += [*lines(rows), ""]
    for what, title in (("stages", "Share of the time by stage"), ("attacks", "By attack, in all stages")):
        names = sorted({name for item in whole for name in item[what]}, key=lambda n: -whole[-1][what].get(n, 0.0))
        rows = [[title, *(f"{item['rows']:,}" for item in whole)]]
        rows += [[name, *(f"{item[what].get(name, 0.0):.1%}" for item in whole)] for name in names]
        out += [*lines(rows), ""]
    return out


def _key() -> list[str]:
    told = [f"- {name}: {item.what} ({item.truth})" for name, item in GENERATORS.items()]
    return ["Truth `open`: measured, not judged here.", "", *told]


def _rule(theirs: dict[str, Grouped]) -> list[str]:
    found = [
        item for tables in theirs.values() for makers in tables.values() for group in makers.values() for item in group
    ]
    whole = judged(found)
    if not whole:
        return ["Nothing was run."]
    compiling = mean(item["compile_cpu_s"] for item in whole)
    version = whole[0]["version"]
    return [
        f"anonymeter {version}, settings and rules as in README.md. *any*: one of its risks over its control group has",
        "a 95 % interval above 0; *joint*: the same at the level that leaves 5 % to all its risks together. Its CPU",
        f"seconds leave out {compiling:.0f} s of compiling, once per process.",
    ]


def _span(numbers: set[int]) -> str:
    return "-" if not numbers else " to ".join(f"{n:,}" for n in sorted({min(numbers), max(numbers)}))


def _commits(found: Grouped) -> list[str]:
    commits = {item.get("commit", "") for makers in found.values() for group in makers.values() for item in group}
    return [f"Commits: {', '.join(sorted(commits))} (a plus: files were changed since).", ""]


def _failures(found: Grouped) -> list[str]:
    return [
        f"- {name}, {maker}, split {item['split']}: {item['failed']}"
        for name, makers in found.items()
        for maker, group in makers.items()
        for item in group
        if "failed" in item
    ]


def main() -> int:
    kept = [outcomes.read(outcomes.RESULTS / f"{name}.jsonl") for name in ("catalogue", "nulls", "anonymeter", "speed")]
    ours, innocent, peer, costs = (list(found.values()) for found in kept)
    settings = list(dict.fromkeys(item["settings"] for item in peer))
    theirs = {name: grouped(item for item in peer if item["settings"] == name) for name in settings}
    pages = {
        "catalogue": catalogue(grouped(ours)) if ours else [],
        "nulls": nulls(grouped(innocent)) if innocent else [],
        "beside": beside(grouped(ours), theirs) if peer else [],
        "speed": speed(costs) if costs else [],
    }
    for name, page in pages.items():
        if page:
            (outcomes.RESULTS / f"{name}.md").write_text("\n".join(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
