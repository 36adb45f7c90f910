"""Attacks our own private mechanisms: thousands of fits with and without one person, and bounds on what they give away.

    python -m bench.privacy.self_audit                       # all cases; takes up where it stopped
    python -m bench.privacy.self_audit --cases noise-halved  # some of them, again

Each case is kept as a line of results/self_audit.jsonl; results/self_audit.md is made from all of them.

Two tables differ in one person, chosen so that every count moves as far as it may. The attacker knows both, sees every
noisy number (more than the model keeps; what follows from them is left out) and scores each fit by how much likelier it
makes the table with the person. A threshold on that score is fixed by a first batch of fits; the counted fits say how
often it is passed, and Clopper-Pearson intervals turn that into two bounds. Epsilon at delta is at least
ln((P[E | with] - delta) / P[E | without]). The rho of zCDP, in which the account counts, is at least the Renyi
divergence of the two chances, of any order, over that order (Bun and Steinke 2016), which is tighter. A bound above its
claim refutes it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import stats

from tuckpoint import parts
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account, epsilon_of
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.seed import Seed
from tuckpoint.table import counting, estimate, private
from tuckpoint.table import fit as fitting
from tuckpoint.table.engine import Context
from tuckpoint.table.engines import marginals

Scores = NDArray[np.float64]
RESULTS = Path(__file__).resolve().parent / "results"

LARGEST = 2**51 - 1  # the value in the last cell of every count of a range
BASE = 60  # people in both tables
OWN = "own"  # a level that nobody else has
WHOLE = "everything"

# Work that follows the noise, in short: nobody learns from it what the noise does not tell. The engine aim fits in few
# steps; what it then chooses to count is chosen under the same rules.
AFTER: Mapping[str, Callable[..., Any]] = {
    "project_margins": lambda table, rows, across: np.outer(rows, across) + 1,
    "fit_margins": lambda table, rows, across: table,
}


@dataclass(frozen=True)
class Case:
    """An engine, how many rows of a person it counts and how many the person has, and a bug, if one is planted."""

    name: str
    engine: str = "marginals"
    counted: int = 1
    rows: int = 1
    domains: bool = False  # whether domains are estimated too
    bug: str | None = None


@dataclass(frozen=True)
class Bound:
    """What was claimed of one part of a mechanism, and the bounds when the person is added and when removed."""

    case: Case
    part: str
    epsilon: float
    epsilon_at_least: tuple[float, float]
    rho: float
    rho_at_least: tuple[float, float]

    @property
    def broken(self) -> bool:
        """Whether a claim is refuted."""
        return max(self.epsilon_at_least) > self.epsilon or max(self.rho_at_least) > self.rho


@dataclass(frozen=True)
class Terms:
    """The claim of a whole fit, how many fits a side fix the events and are counted, and how sure an interval is."""

    epsilon: float = 2.0
    delta: float = 0.01
    pilot: int = 1000
    fits: int = 4000
    sure: float = 0.975


def cases() -> tuple[Case, ...]:
    """All that is attacked: what must hold, and the planted bugs that must be caught."""
    honest = [
        Case("one row a person"),
        Case("five of fifty rows a person", counted=5, rows=50),
        Case("domains, one row a person", domains=True),
        Case("domains, five of fifty rows", counted=5, rows=50, domains=True),
    ]
    if "aim" in parts.names("engine"):
        honest += [Case("aim, one row a person", "aim"), Case("aim, five of fifty rows", "aim", counted=5, rows=50)]
    planted = [
        Case("noise for one row where people have five", counted=5, rows=5, bug="one-row"),
        Case("noise halved", bug="noise-halved"),
        Case("no truncation", counted=5, rows=50, bug="no-bound"),
        Case("choice four times too sure", bug="sure-choice"),
        Case(
            "ranges and levels: noise for one row where people have five",
            counted=5,
            rows=5,
            domains=True,
            bug="one-row",
        ),
        Case("levels told two deviations above nothing", domains=True, bug="low-threshold"),
    ]
    if "aim" in parts.names("engine"):
        planted.append(Case("aim, noise halved", "aim", bug="noise-halved"))
    return (*honest, *planted)


def tables(case: Case) -> tuple[pa.Table, pa.Table, Schema]:
    """Without the person, with the person, and their schema.

    The person's row is the last cell of every table: level 1 of all columns, of which b goes with a, and c against it.
    """
    half = np.arange(BASE) % 2
    columns: dict[str, Any] = {"who": [f"p{i}" for i in range(BASE)]}
    domain = Domain("public", levels=("0", "1"))
    schema = [Column("who", "identifier", "string", pattern="key:1")]
    for name, values in (("a", half), ("b", half), ("c", 1 - half)):
        columns[name] = values.astype(str).tolist()
        schema.append(Column(name, "category", "string", domain=domain))
    mine: dict[str, Any] = {"who": "mine", "a": "1", "b": "1", "c": "1"}
    if case.domains:
        columns |= {"x": [LARGEST] * BASE, "g": ["z"] * BASE, OWN: ["y"] * BASE}
        mine |= {"x": LARGEST, "g": "z", OWN: OWN}
        schema.append(Column("x", "integer", "int64", domain=Domain("dp")))
        schema += [Column(name, "category", "string", domain=Domain("dp")) for name in ("g", OWN)]
    without = pa.table(columns)
    added = pa.table({name: [value] * case.rows for name, value in mine.items()}, schema=without.schema)
    return without, pa.concat_tables([without, added]), Schema(tuple(schema), person="who")


def part_of(what: str) -> str:
    """The name of a spend without its round: all rounds are one part."""
    return what.partition(", round ")[0]


class Listener:
    """Hears every noisy number of a fit, and sums what each says for the person, by what it was charged to."""

    def __init__(self, case: Case) -> None:
        self.moves = case.rows if case.bug == "no-bound" else case.counted
        self.weaken = 4 if case.bug == "noise-halved" else 1  # of variance
        self.sure = 4 if case.bug == "sure-choice" else 1
        self.begin(there=False)

    def begin(self, *, there: bool) -> None:
        """A new fit, with the person or without."""
        self.there, self.charged, self.chosen = there, "", False
        self.said: dict[str, float] = {}

    def spend(self, plain: Callable[..., None]) -> Callable[..., None]:
        """`Account.spend` that tells what the next noisy numbers are for."""

        def spend(account: Account, what: str, *given: Any, **more: Any) -> None:
            plain(account, what, *given, **more)
            self.charged = part_of(what)

        return spend

    def noisy(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """`noisy` whose last count, the person's cell, is compared with what it is without the person."""

        def noisy(counts: Any, variance: Any) -> Any:
            told = plain(counts, variance / self.weaken)
            if np.size(counts) and OWN not in self.charged:
                before = int(np.ravel(counts)[-1]) - self.moves * self.there
                weight = self.moves * (float(np.ravel(told)[-1]) - before) / float(variance)
                self.said[self.charged] = self.said.get(self.charged, 0.0) + weight
            return told

        return noisy

    def choice(self, plain: Callable[..., int]) -> Callable[..., int]:
        """`exponential_choice`, of which the first tells whether a goes with b: the person makes that likelier."""

        def choose(scores: Any, epsilon: Any, sensitivity: int) -> int:
            at = plain(scores, epsilon * self.sure, sensitivity)
            if not self.chosen:
                self.chosen = True
                self.said[self.charged] = float(epsilon) * (at == 0)
            return at

        return choose


def pooled(plain: Callable[[Any, int], Any]) -> Callable[[Any, int], Any]:
    """The same independent draws, made thousands at a time: a call for one costs nearly as much."""
    pools: dict[Any, Any] = {}

    def draw(variance: Any, size: int) -> Any:
        pool = pools.get(variance, np.zeros(0, np.int64))
        if len(pool) < size:
            pool = plain(variance, 4096 + size)
        pools[variance] = pool[size:]
        return pool[:size]

    return draw


@contextmanager
def heard(listener: Listener, bug: str | None) -> Iterator[None]:
    """The mechanisms with a listener inside, without the work that follows the noise, and with a bug, if one is set."""
    with ExitStack() as stack:

        def instead(place: Any, name: str, put: Any) -> None:
            stack.enter_context(patch.object(place, name, put))

        instead(noise, "discrete_gaussian", pooled(noise.discrete_gaussian))
        instead(Account, "spend", listener.spend(Account.spend))
        instead(estimate, "_noisy", listener.noisy(estimate._noisy))
        plain = counting.noisy
        for module in list(sys.modules.values()):
            if vars(module).get("noisy") is plain:
                instead(module, "noisy", listener.noisy(plain))
        instead(noise, "exponential_choice", listener.choice(noise.exponential_choice))
        for name, quick in AFTER.items():
            instead(marginals, name, quick)
        if adaptive := sys.modules.get("tuckpoint.table.engines.aim"):
            for name in ("_STEPS", "_LAST"):
                instead(adaptive, name, 2)
        if bug == "one-row":
            honest = estimate.estimate
            instead(private, "rows_of_unit", lambda *_: 1)
            instead(fitting, "estimate", lambda real, schema, account, _: honest(real, schema, account, 1))
        if bug == "no-bound":
            for place in (fitting, private):
                instead(place, "bounded", lambda real, _: real)
        if bug == "low-threshold":
            instead(estimate, "threshold", lambda variance, *_: round(2 * float(variance) ** 0.5))
        yield


@dataclass(frozen=True)
class Heard:
    """The scores (fits,) of each part with the person and without, and the rho and failure that was claimed of each."""

    scores: Mapping[str, tuple[Scores, Scores]]
    rho: Mapping[str, float]
    failure: float


def attack(case: Case, fits: int, terms: Terms) -> Heard:
    """Fit `fits` times with the person and without, and listen."""
    without, present, schema = tables(case)
    engine = parts.find("engine", case.engine)(epsilon=terms.epsilon, delta=terms.delta, rows_per_person=case.counted)
    listener = Listener(case)
    all_said: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
    rho: dict[str, float] = {}
    failure = 0.0
    with heard(listener, case.bug):
        for table, there in [(present, True), (without, False)] * fits:
            listener.begin(there=there)
            model = fitting.fit(table, schema, engine=engine, seed=Seed(0), context=Context(target="a"))
            said, promise = listener.said, model.guarantee
            assert promise is not None
            if case.domains:
                domain = model.schema[OWN].domain
                said[f'levels of "{OWN}"'] = 10.0 * (domain is not None and OWN in (domain.levels or ()))
            said[WHOLE] = sum(said.values())
            all_said[not there].append(said)
            failure = promise.failure
            now: dict[str, float] = {WHOLE: promise.rho}
            for what, spent in promise.spent.items():
                now[part_of(what)] = now.get(part_of(what), 0.0) + spent
            rho = {part: max(rho.get(part, 0.0), now.get(part, 0.0)) for part in {**rho, **now}}
    names = [part for part in rho if any(part in said for side in all_said for said in side)]
    scores = {
        part: (np.array([s.get(part, 0.0) for s in all_said[0]]), np.array([s.get(part, 0.0) for s in all_said[1]]))
        for part in names
    }
    return Heard(scores, rho, failure)


def bounds(case: Case, terms: Terms) -> list[Bound]:
    """Fix the events of each part by one batch of fits, then count them in another."""
    first, counted = attack(case, terms.pilot, terms), attack(case, terms.fits, terms)
    out = []
    for part, scores in counted.scores.items():
        if part not in first.scores:
            continue
        # A part that fails outright with some chance has that taken off its zCDP, and leaves less delta to convert it.
        failure = counted.failure if part in (WHOLE, f'levels of "{OWN}"') else 0.0
        judges: tuple[Judge, ...] = (
            partial(_epsilon, terms=terms),
            partial(_turned, judge=partial(_epsilon, terms=terms), terms=terms),
            partial(_rho, terms=terms, failure=failure),
            partial(_turned, judge=partial(_rho, terms=terms, failure=failure), terms=terms),
        )
        told = [judge(_passed(scores, _best(first.scores[part], judge, terms))) for judge in judges]
        rho = counted.rho[part]
        claim = epsilon_of(rho, terms.delta - counted.failure) if part != WHOLE else terms.epsilon
        out.append(Bound(case, part, claim, (told[0], told[1]), rho, (told[2], told[3])))
    return out


Hits = tuple[int, int]  # fits that pass a threshold, with the person and without
Judge = Callable[[Hits], float]


def _passed(scores: tuple[Scores, Scores], threshold: float) -> Hits:
    return int((scores[0] >= threshold).sum()), int((scores[1] >= threshold).sum())


def _turned(hits: Hits, *, judge: Judge, terms: Terms) -> float:
    """The opposite event, and the two tables changed about: the person is removed."""
    return judge((terms.fits - hits[1], terms.fits - hits[0]))


def _best(scores: tuple[Scores, Scores], judge: Judge, terms: Terms) -> float:
    """The threshold that would give the best bound if the counted fits were as the first ones."""
    grid = np.unique(np.quantile(np.concatenate(scores), np.linspace(0, 1, 101)))
    scale = terms.fits / len(scores[0])

    def promising(threshold: float) -> float:
        there, gone = _passed(scores, threshold)
        return judge((round(there * scale), round(gone * scale)))

    return float(max(grid, key=promising))


def _ends(hits: Hits, terms: Terms) -> tuple[float, float]:
    """The low end of the chance with the person and the high end without (Clopper-Pearson)."""
    there, gone = hits
    low = float(stats.beta.ppf(1 - terms.sure, there, terms.fits - there + 1)) if there else 0.0
    high = float(stats.beta.ppf(terms.sure, gone + 1, terms.fits - gone)) if gone < terms.fits else 1.0
    return low, high


def _epsilon(hits: Hits, *, terms: Terms) -> float:
    low, high = _ends(hits, terms)
    return max(float(np.log((low - terms.delta) / high)), 0.0) if low > terms.delta else 0.0


def _rho(hits: Hits, *, terms: Terms, failure: float) -> float:
    low, high = _ends(hits, terms)
    low -= failure
    if low <= high:
        return 0.0
    p, q = np.array([low, 1 - low]), np.array([high, 1 - high])
    orders = np.array([1.01, 1.5, 2, 3, 5, 8, 13, 21])
    powers = (p[:, None] ** orders * q[:, None] ** (1 - orders)).sum(axis=0)
    return float((np.log(powers) / (orders - 1) / orders).max())


def page(found: Sequence[Bound], terms: Terms, seconds: float) -> str:
    """The results as Markdown."""
    lines = [
        "# The self-audit",
        "",
        "    python -m bench.privacy.self_audit",
        "",
        f"{terms.fits} counted fits a side and case, after {terms.pilot} that fixed the events; each whole fit claims "
        f"epsilon {terms.epsilon:g} at delta {terms.delta:g}; intervals at {terms.sure:.1%} each; {seconds:.0f} CPU-s.",
        "",
        "Claims of a part are what the guarantee says was spent on it, in rho, and converted at the same delta. Bounds "
        "are given for the person being added / removed. A large delta and a whole epsilon of 2 are where such an "
        "attack sees best; the mechanisms and the arithmetic are those of any other claim.",
    ]
    for title, planted in (("What must hold", False), ("Planted bugs, to be caught", True)):
        lines += ["", f"## {title}", "", "| case | part | epsilon claimed | at least | rho claimed | at least | |"]
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_row(bound) for bound in found if (bound.case.bug is not None) == planted]
    problems = wrong(found)
    whole = any(bound.case.bug is not None for bound in found)
    held = (
        "No claim is refuted; every planted bug is caught." if whole else "No claim is refuted; no bug was planted yet."
    )
    lines += ["", *(problems or [held])]
    return "\n".join(lines) + "\n"


def _row(bound: Bound) -> str:
    epsilon, rho = (" / ".join(f"{b:.3f}" for b in pair) for pair in (bound.epsilon_at_least, bound.rho_at_least))
    claims = f"{bound.epsilon:.3f} | {epsilon} | {bound.rho:.4f} | {rho}"
    return f"| {bound.case.name} | {bound.part} | {claims} | {'refuted' if bound.broken else ''} |"


def wrong(found: Sequence[Bound]) -> list[str]:
    """A claim of ours that is refuted, or a planted bug of which no part was caught."""
    told = [f"{b.case.name}: {b.part} is refuted" for b in found if b.broken and b.case.bug is None]
    for case in dict.fromkeys(b.case for b in found if b.case.bug is not None):
        if not any(b.broken for b in found if b.case == case):
            told.append(f"{case.name}: the planted bug was not caught")
    return told


def keep(found: Sequence[Bound], terms: Terms, seconds: float) -> None:
    """Write what one case told in place of what it told before, and the page of all cases."""
    case, path = found[0].case, RESULTS / "self_audit.jsonl"
    line = {"case": case.name, "terms": asdict(terms), "seconds": round(seconds, 1)}
    line["bounds"] = [{**asdict(bound), "case": asdict(case)} for bound in found]
    lines = [entry for entry in kept() if entry["case"] != case.name] + [line]
    order = [one.name for one in cases()]
    lines.sort(key=lambda entry: order.index(entry["case"]) if entry["case"] in order else len(order))
    RESULTS.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(entry) + "\n" for entry in lines), encoding="utf-8")
    all_found = [_bound(entry) for line in lines for entry in line["bounds"]]
    seconds = sum(entry["seconds"] for entry in lines)
    (RESULTS / "self_audit.md").write_text(page(all_found, terms, seconds), encoding="utf-8")


def kept() -> list[dict[str, Any]]:
    """What earlier runs told, a line a case."""
    path = RESULTS / "self_audit.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def _bound(entry: Mapping[str, Any]) -> Bound:
    pairs = {name: tuple(entry[name]) for name in ("epsilon_at_least", "rho_at_least")}
    return Bound(**{**entry, **pairs, "case": Case(**entry["case"])})


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--fits", type=int, default=Terms.fits, help="counted fits a side (default %(default)s)")
    words.add_argument("--pilot", type=int, default=Terms.pilot, help="fits a side that fix the events (%(default)s)")
    words.add_argument("--epsilon", type=float, default=Terms.epsilon, help="claim of each fit (%(default)s)")
    words.add_argument("--delta", type=float, default=Terms.delta, help="claim of each fit (%(default)s)")
    words.add_argument("--cases", nargs="*", help="bugs, or parts of the names of cases, to be run again")
    asked = words.parse_args()
    terms = Terms(asked.epsilon, asked.delta, asked.pilot, asked.fits)
    done = {entry["case"] for entry in kept() if entry["terms"] == asdict(terms)}
    told: list[Bound] = []
    for case in cases():
        if case.name in done if asked.cases is None else not _asked(case, asked.cases):
            continue
        start = time.process_time()
        found = bounds(case, terms)
        for bound in found:
            said = f"epsilon {bound.epsilon:.3f}, at least {max(bound.epsilon_at_least):.3f}"
            said += f"; rho {bound.rho:.4f}, at least {max(bound.rho_at_least):.4f}"
            print(f"{case.name}: {bound.part}: {said}{'; REFUTED' if bound.broken else ''}", flush=True)
        keep(found, terms, time.process_time() - start)
        told += found
    for line in wrong(told):
        print(line)
    return 1 if wrong(told) else 0


def _asked(case: Case, wanted: Sequence[str]) -> bool:
    return any(word in case.name or word == case.bug for word in wanted)


if __name__ == "__main__":
    sys.exit(main())
