"""`tuckpoint audit` and `tuckpoint gate`: attack made rows or a model, and decide who may have them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError
from tuckpoint.files import write_text

AUDIT = """Attack made rows, from tuckpoint or from any vendor, as someone would who wants to know who was in the data,
and compare with the same attacks on real people who were not: the holdout. Every audit tries itself as well: a leaky
copy must be caught, other real people must pass."""
AUDIT_MORE = """examples:
  tuckpoint audit train.csv made.csv --holdout held.csv -o audit.html -o audit.json
  tuckpoint audit --model out/model --train train.csv --holdout held.csv -o audit.html

TRAIN are the real rows that the maker saw, the holdout real rows that it never saw, split off by chance. With --model
the generator itself is attacked: several draws, planted canaries, and shadow models of the most exposed records.
ends with 0 if no leak was found, 2 if it is blocked: a leak, a control that failed, or a test that could not run."""
GATE = """Decide whether made rows may be released to a tier: the public, a named partner, or within the house.
Missing evidence never passes."""
GATE_MORE = """examples:
  tuckpoint gate out/ --tier public
  tuckpoint gate out/ --tier partner --policy policy.yaml

OUT is the folder of `tuckpoint make` with --private or --audit. ends with 0 for PASS, 2 for BLOCK, 3 for REVIEW: then
a person must decide."""
BLOCKED = 2


def gate_arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint gate`, but for the ledger."""
    place.add_argument("folder", type=Path, metavar="OUT", help="folder of `tuckpoint make`")
    place.add_argument("--tier", choices=("public", "partner", "internal"), required=True, help="who will get the rows")
    place.add_argument("--audit", type=Path, metavar="FILE", help="audit.json, if it is not in OUT")
    place.add_argument("--policy", type=Path, metavar="YAML", help="other thresholds than the default ones")


def audit_arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint audit`, but for what it shares with other verbs."""
    place.add_argument("real", nargs="?", type=Path, metavar="TRAIN", help="real rows that the maker saw")
    place.add_argument("made", nargs="?", type=Path, metavar="MADE", help="made rows")
    place.add_argument("--holdout", type=Path, required=True, metavar="FILE", help="real rows that the maker never saw")
    place.add_argument("--model", type=Path, metavar="MODEL", help="attack this fitted model instead of made rows")
    place.add_argument("--train", type=Path, metavar="FILE", help="real rows that the model was fitted to")
    place.add_argument(
        "--canaries", type=int, metavar="N", help="people who do not exist, planted in a refit (0: none)"
    )
    place.add_argument("--shadows", type=int, metavar="N", help="fits with and without exposed records (0: none)")


def audit_told(options: argparse.Namespace, *, terminal: Mapping[str, Any], progress: Any) -> tuple[str, int]:
    """Do what was asked; what to tell, and the exit status."""
    from tuckpoint import run
    from tuckpoint.report.officer_terminal import audited as summary
    from tuckpoint.report.pages import pages_of

    shared.check_reports(options)
    train, made = on_trial(options)
    audited = run.audit(
        train,
        made,
        model=options.model,
        holdout=options.holdout,
        schema=options.schema,
        target=options.target,
        person=options.person,
        seed=options.seed,
        canaries=options.canaries,
        shadows=options.shadows,
        context=options.context,
        ledger=options.ledger,
        workers=options.workers,
        progress=progress,
    )
    pages = pages_of(audited)
    for path in options.output:
        write_text(path, pages[f"audit{path.suffix}"], overwrite=options.overwrite)
    assert audited.audit is not None
    told = summary(audited.audit, report=", ".join(map(str, options.output)), **terminal)
    return told, BLOCKED if audited.blocked else 0


def on_trial(options: argparse.Namespace) -> tuple[Path, Path | None]:
    """The training rows and the made rows; a model stands in place of the latter."""
    if options.model is None:
        if options.real is None or options.made is None or options.train is not None:
            raise InputError("say what is audited: tuckpoint audit TRAIN MADE --holdout FILE, or --model with --train")
        return options.real, options.made
    if options.made is not None or (options.real is None) == (options.train is None):
        raise InputError("a model is audited with its training rows alone: --model MODEL --train FILE --holdout FILE")
    return options.real or options.train, None


def gate_told(options: argparse.Namespace, *, terminal: Mapping[str, Any]) -> tuple[str, int]:
    """Judge what was asked; what to tell, and the exit status."""
    from tuckpoint import release
    from tuckpoint.measure.policy import Policy
    from tuckpoint.privacy.ledger import Ledger
    from tuckpoint.report.officer_terminal import gated

    verdict = release.judge(
        options.folder,
        options.tier,
        evidence=options.audit,
        policy=None if options.policy is None else Policy.load(options.policy),
        book=Ledger.at(options.ledger),
    )
    return gated([verdict], **terminal), verdict.exit
