"""The command line: one function a verb, which parses, calls and prints."""

from __future__ import annotations

import argparse
import inspect
import os
import shutil
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.arguments import GUARDING, Run, parser
from tuckpoint.commands import VERBS
from tuckpoint.commands import options as shared
from tuckpoint.errors import InputError, TuckpointError, count
from tuckpoint.files import write_text

if TYPE_CHECKING:
    from tuckpoint.measure.evaluation import Evaluation
    from tuckpoint.table.engine import Progress

WRONG, BUG, INTERRUPTED = 2, 1, 130
_FOLDER = {
    "data.{}": "the made rows",
    "report.html": "what was measured, the verdict first",
    "report.json": "the same for programs",
    "recipe.yaml": "all settings: tuckpoint run repeats it, byte for byte",
    "record.json": "how the rows came to be; every written file carries it",
    "model/": "tuckpoint sample draws more rows from it",
}
_AUDITED = {
    "audit.html": "for the data-protection officer: what is promised, what was attacked, what to sign",
    "officer.json": "the same for programs",
    "audit.json": "the audit whole; internal, like everything computed from real rows",
    "gate.json": "what the gate says for each tier: tuckpoint gate decides anew",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status.

    0; 2 for what the user can mend, or what the audit or gate blocks; 3 for what a person must decide, or a proof
    without evidence, 4 for one of equivalence, 5 for one of harm; 1 for a bug; 130 when interrupted.
    """
    options = parser(_VERBS).parse_args(argv)
    try:
        status = options.run(options) or 0
        sys.stdout.flush()
        return status
    except KeyboardInterrupt as stop:
        return _failed(str(stop) or "stopped; no half-written file is left behind", options, INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except TuckpointError as error:
        return _failed("\n".join([str(error), *getattr(error, "__notes__", ())]), options, WRONG)
    except OSError as error:
        return _failed(str(error), options, WRONG)
    except MemoryError:
        return _failed("out of memory; take fewer rows, or sample straight into a file", options, WRONG)
    except Exception as error:  # a bug of ours: one line, and how to see more
        told = f"this is a bug in tuckpoint: {type(error).__name__}: {error}"
        return _failed(f"{told}\nrun the command again with --traceback and report what it prints", options, BUG)


def _failed(message: str, options: argparse.Namespace, status: int) -> int:
    if options.traceback:
        traceback.print_exc()
    _clear(sys.stderr)
    sys.stderr.write(f"tuckpoint: {message}\n")
    return status


def _make(options: argparse.Namespace) -> int:
    from tuckpoint import deliver
    from tuckpoint.report.pages import pages_of
    from tuckpoint.report.terminal import remarks

    made = deliver.make(
        options.file,
        options.output,
        pages=pages_of,
        overwrite=options.overwrite,
        holdout=options.holdout,
        rows=options.rows,
        format=options.format,
        audit=options.audit,
        context=options.context,
        fair=options.fair,
        **_asked(options),
    )
    _clear(sys.stderr)
    _summary(made.evaluation, report=options.output / "report.html")
    if made.recipe.schema is not None and (noted := remarks(made.recipe.schema, **_terminal())):
        _say(f"\n{noted}")
    audited = made.audited
    if audited is not None:
        from tuckpoint.report.officer_terminal import gated

        _say(f"\n{gated(audited.verdicts, **_terminal())}")
    if made.fair is not None:
        _say(f"\n{made.fair.sentence()}")
    _say(f"\n{options.output}/")
    for name, meaning in {**_FOLDER, **(_AUDITED if audited else {})}.items():
        _say(f"  {name.format(made.recipe.format):<14} {meaning}")
    return WRONG if audited and all(verdict.state == "block" for verdict in audited.verdicts) else 0


def _schema(options: argparse.Namespace) -> None:
    from tuckpoint import run

    shared.check_overwrite(options)
    schema = run.profile(options.file, target=options.target, person=options.person, primary_key=options.primary_key)
    if options.output is None:
        sys.stdout.write(schema.to_yaml())
        return
    write_text(options.output, schema.to_yaml(), overwrite=options.overwrite)
    width = min(max((len(column.name) for column in schema.columns), default=0), 40)
    for column in schema.columns:
        facts = [column.kind, "some missing" if column.missing else "", "personal" if column.personal else ""]
        _say(f"{column.name:<{width}}  {', '.join(filter(None, facts))}{f'  ({column.note})' if column.note else ''}")
    _say(f"\nCorrect {options.output} where it is wrong, then pass it on: --schema {options.output}")


def _rules(options: argparse.Namespace) -> None:
    from tuckpoint import run

    found = run.rules_in(options.file, schema=options.schema)
    for rule in sorted(found, key=lambda rule: not rule.enforced):
        nearly = f"not obeyed, broken by {rule.rows - round(rule.support * rule.rows):,} of {rule.rows:,} rows"
        _say(f"{'obeyed' if rule.enforced else nearly}: {rule.text}")
    if not found:
        _say("no rule found")


def _fit(options: argparse.Namespace) -> None:
    from tuckpoint import deliver
    from tuckpoint.commands.notes import brief

    fitted = deliver.fit(options.file, options.output, overwrite=options.overwrite, **_asked(options))
    _clear(sys.stderr)
    for note in brief(fitted.model.notes):
        _say(note)
    _say(f"model in {options.output}; draw from it: tuckpoint sample {options.output} -n 1000 -o rows.parquet")


def _sample(options: argparse.Namespace) -> None:
    from tuckpoint import deliver

    rows, free = deliver.sample(
        options.model,
        options.output,
        options.rows,
        seed=options.seed,
        where=options.where,
        rebalance=shared.once("--rebalance", options.rebalance),
        rules=options.rule,
        fair=options.fair,
        ledger=options.ledger,
        workers=options.workers,
        overwrite=options.overwrite,
        progress=_progress(options),
    )
    _clear(sys.stderr)
    _say(f"{count(rows, 'synthetic row')} in {options.output}{f'; {free}' if free else ''}")


def _complete(options: argparse.Namespace) -> None:
    from tuckpoint import deliver

    running: dict[str, Any] = {"overwrite": options.overwrite, "progress": _progress(options)}
    rows = deliver.complete(options.model, options.file, options.output, seed=options.seed, **running)
    _clear(sys.stderr)
    _say(f"{count(rows, 'row')} in {options.output}, their empty cells filled")


def _audit(options: argparse.Namespace) -> int:
    from tuckpoint.commands import audit

    return _told(options, audit.audit_told, terminal=_terminal())


def _gate(options: argparse.Namespace) -> int:
    from tuckpoint.commands import audit

    return _ended(*audit.gate_told(options, terminal=_terminal()))


def _told(options: argparse.Namespace, verb: Callable[..., tuple[str, int]], **more: Any) -> int:
    told, status = verb(options, progress=_progress(options), **more)
    _clear(sys.stderr)
    return _ended(told, status)


def _ended(told: str, status: int) -> int:
    _say(told)
    return status


def _ledger(options: argparse.Namespace) -> None:
    from tuckpoint.commands import ledger

    terminal = _terminal()
    _say(ledger.told(options, width=terminal["width"], encoding=terminal["encoding"]))


def _measure(options: argparse.Namespace) -> None:
    from tuckpoint import run
    from tuckpoint.report.pages import pages_of

    shared.check_reports(options)
    measured = run.evaluate(
        options.real,
        options.made,
        holdout=options.holdout,
        target=options.target,
        schema=options.schema,
        seed=options.seed,
        progress=_progress(options),
    )
    pages = pages_of(measured)
    for path in options.output:
        write_text(path, pages[f"report{path.suffix}"], overwrite=options.overwrite)
    _clear(sys.stderr)
    _summary(measured.evaluation, report=", ".join(map(str, options.output)))


def _telling(name: str) -> Run:
    """The verb of a module of that name."""

    def act(options: argparse.Namespace) -> int:
        return _told(options, import_module(f"tuckpoint.commands.{name}").told)

    return act


def _run(options: argparse.Namespace) -> int:
    from tuckpoint import deliver, recipe
    from tuckpoint.report.pages import pages_of

    shared.check_overwrite(options)
    verb = recipe.entries(options.recipe).get("verb")
    if verb in ("simulate", "implant") and options.input is not None:
        raise InputError(f"{options.recipe} names several files; put them back where they were, and leave --input out")
    if verb in ("render", "simulate", "implant"):
        return {"render": _render_again, "simulate": _simulate_again, "implant": _implant_again}[verb](options)
    told = deliver.repeat(
        options.recipe,
        output=options.output,
        source=options.input,
        pages=pages_of,
        overwrite=options.overwrite,
        workers=options.workers,
        progress=_progress(options),
    )
    _clear(sys.stderr)
    _say(told)
    return 0


def _simulate_again(options: argparse.Namespace) -> int:
    from tuckpoint.commands import simulate
    from tuckpoint.simulate.order import order_of

    order = order_of(options.recipe)
    running: dict[str, Any] = {"overwrite": options.overwrite, "progress": _progress(options)}
    told, status = simulate.again(order, options.recipe, output=options.output, **running)
    _clear(sys.stderr)
    return _ended(told, status)


def _implant_again(options: argparse.Namespace) -> int:
    from tuckpoint.commands import implant

    running = {name: getattr(options, name) for name in ("output", "workers", "overwrite")}
    told, status = implant.again(options.recipe, **running, progress=_progress(options))
    _clear(sys.stderr)
    return _ended(told, status)


def _render_again(options: argparse.Namespace) -> int:
    from tuckpoint import pictures

    order = pictures.order_of(options.recipe)
    if options.input is not None:
        raise InputError(f"{options.recipe} holds its whole specification; leave --input out")
    if options.overwrite:
        raise InputError("a set of pictures is never replaced: remove the old one or choose a new folder with -o")
    running: dict[str, Any] = {"workers": options.workers, "progress": _progress(options)}
    if options.output is None:
        told = pictures.repeat(order, options.recipe.parent, **running)
    else:
        told = f"{count(pictures.fill(order, options.output, **running).about.pictures, 'picture')} in {options.output}"
    _clear(sys.stderr)
    _say(told)
    return 0


def _engines(options: argparse.Namespace) -> None:
    from tuckpoint import parts, settings

    for name in parts.names("engine") if options.name is None else [options.name]:
        engine = parts.find("engine", name)
        about = inspect.getdoc(inspect.getmodule(engine)) or ""
        _say(f"{name}: {about.partition(chr(10))[0]}")
        if options.name is not None:
            _say(f"\n{inspect.getdoc(engine)}\n")
        for setting, default in settings.plain(engine()).items():
            _say(f"    --set {setting}={default}")


def _example(options: argparse.Namespace) -> None:
    from tuckpoint import deliver, examples

    deliver.copy_example(options.name, options.output, overwrite=options.overwrite)
    _say(f"{options.output} written: {examples.ABOUT[options.name]}")


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    """What `make` and `fit` share."""
    same = ("target", "schema", "person", "primary_key", "engine", "k", "seed", "workers", "ledger", "who")
    return {
        **{name: getattr(options, name) for name in (*same, *GUARDING)},
        "settings": shared.once("--set", options.set),
        "rules": options.rule,
        "mine_rules": not options.no_mined_rules,
        "progress": _progress(options),
    }


def _say(text: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "replace").decode(encoding) + "\n")


def _summary(evaluation: Evaluation, *, report: str | Path) -> None:
    from tuckpoint.report.terminal import summary

    sys.stdout.write(summary(evaluation, report=str(report), **_terminal()))


def _terminal() -> dict[str, Any]:
    """How wide the terminal is, whether it shows colour, and which letters it has."""
    return {
        "width": min(shutil.get_terminal_size((88, 24)).columns, 100),
        "colour": sys.stdout.isatty() and "NO_COLOR" not in os.environ,
        "encoding": sys.stdout.encoding or "utf-8",
    }


def _progress(options: argparse.Namespace) -> Progress:
    """A line on standard error that is overwritten in a terminal, and a line per step elsewhere if asked for."""
    terminal = sys.stderr.isatty()
    if not (terminal or getattr(options, "progress", False)):
        return lambda what, share: None
    last = ""

    def show(what: str, share: float) -> None:
        nonlocal last
        if terminal:
            width = shutil.get_terminal_size((80, 24)).columns
            sys.stderr.write(f"\r\x1b[K{f'{what} · {share:.0%}'[: width - 1]}")
            sys.stderr.flush()
        elif what != last:
            sys.stderr.write(f"{what}\n")
        last = what

    return show


def _clear(stream: Any) -> None:
    if stream.isatty():
        stream.write("\r\x1b[K")


_VERBS: Mapping[str, Callable[[argparse.Namespace], int | None]] = {
    "make": _make,
    "schema": _schema,
    "rules": _rules,
    "fit": _fit,
    "sample": _sample,
    "complete": _complete,
    "measure": _measure,
    "audit": _audit,
    "gate": _gate,
    "ledger": _ledger,
    "run": _run,
    "engines": _engines,
    "example": _example,
    **{name: _telling(name) for name in VERBS},
}

if __name__ == "__main__":
    sys.exit(main())
