"""`tuckpoint ledger`: what was spent on whose privacy, by whom and for what, and what may be spent."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tuckpoint.errors import InputError, TraceError, count
from tuckpoint.files import check_new, replacing

if TYPE_CHECKING:
    from tuckpoint.privacy.ledger import Ledger

LEDGER = """Show, check and govern the ledger: what was spent on whose privacy, by whom and for what.
`make` and `fit` with --private reserve in it before they touch the rows; a run that crashes has spent what it
reserved."""
LEDGER_MORE = """examples:
  tuckpoint ledger show
  tuckpoint ledger reserve patients --unit patient_id --epsilon 0.5 --purpose 'counts for the annual report'
  tuckpoint ledger policy patients --unit patient_id --epsilon 6 --delta 1e-7 --why 'decided by the ethics board'
  tuckpoint ledger share patients staff --unit person_id --why 'staff are treated here too'
  tuckpoint ledger partition patients --unit patient_id --by region --parts north,south --why 'by place of birth'
  tuckpoint ledger verify out/ more.parquet
  tuckpoint ledger export -o ledger.csv

`tuckpoint ledger WHAT --help` explains one of them.
The ledger is a file: --ledger FILE, else $TUCKPOINT_LEDGER, else one in your home folder. Keep a copy elsewhere."""
SHOW = """Show each account: a population, and what one person is in it. Losses add up over releases (as zCDP, told as
epsilon once), so the total is less than the sum of the epsilons. Rows drawn from a fitted model cost nothing."""
RESERVE = """Enter a release that another tool makes, BEFORE it touches the data. It counts from then on, for good:
nothing cancels it, since nobody could prove that no result was seen."""
RESERVE_MORE = """--epsilon, with --delta if the tool has one, takes any differentially private release: it is entered
as the zCDP that follows from epsilon alone, epsilon^2 / 2, and delta as a chance of failure (Bun and Steinke 2016). One
such release alone is then told as more than it claims, 0.5 as 2.4 at delta 1e-6: zCDP pays off where many add up. A
tool that counts in zCDP itself is entered tighter, by --rho.

example:
  tuckpoint ledger reserve patients --unit patient_id --rho 0.02 --mechanism opendp --purpose dashboard --input p.csv"""
EXPORT = """Write the whole ledger: .json for programs, exact, with all entries of the chain; .csv for a spreadsheet, a
line for each release, draw and change. Without -o the JSON is printed."""
POLICY = """Say how much may be spent on a population in total, or open an account for it. Not less than is spent
already. A higher policy is a decision about people, so it is entered with who and why."""
SHARE = """Declare that populations have people in common. From then on they are one account: what is spent on them adds
up, also what was spent before, and the strictest of their policies holds."""
PARTITION = """Declare that a population falls into parts and that nobody is ever in two of them, before anything is
spent on them. Of what is then spent on the parts (make --part NAME) only the most counts, since nobody is hit twice."""
PARTITION_MORE = """the parts must follow from a fixed fact about each person, such as the place of birth. Where people
move from part to part, as between wards or years, they are hit twice: do not declare it.

example:
  tuckpoint ledger partition patients --unit patient_id --by region --parts north,south --why 'by place of birth'"""
VERIFY = """Check the chain of the ledger: that no entry was changed, moved or taken out. Each file that --private wrote
bears the digest of its entry: pass such files, their record.json or their folder, to see that the ledger was not
rolled back either."""
HAND = "by hand"


def arguments(place: argparse.ArgumentParser) -> None:
    """What can be said after `tuckpoint ledger`."""
    places = place.add_subparsers(title="what", metavar="WHAT", dest="what", required=True)

    def what(name: str, text: str, line: str, more: str = "") -> argparse.ArgumentParser:
        look = argparse.RawDescriptionHelpFormatter
        verb = places.add_parser(name, help=line, description=text, epilog=more, formatter_class=look)
        verb.add_argument(
            "--ledger", type=Path, metavar="FILE", help="the ledger (default: $TUCKPOINT_LEDGER, or yours)"
        )
        verb.add_argument("--traceback", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        return verb

    show = what("show", SHOW, "what was spent and what is left")
    show.add_argument("population", nargs="?", metavar="POPULATION", help="one population (default: all)")
    show.add_argument("--all", action="store_true", help="every line of every account")
    _reserve(what("reserve", RESERVE, "enter a release of another tool", RESERVE_MORE))
    export = what("export", EXPORT, "write it as JSON or CSV")
    export.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write: .json or .csv")
    export.add_argument("--overwrite", action="store_true", help="replace an older file")
    policy = what("policy", POLICY, "say how much may be spent")
    _account(policy)
    policy.add_argument("--epsilon", type=float, default=10.0, metavar="E", help="in total (default: 10)")
    policy.add_argument("--delta", type=float, default=1e-6, metavar="D", help="at this delta (default: 1e-6)")
    _said(policy)
    share = what("share", SHARE, "declare that populations overlap")
    share.add_argument("populations", nargs="+", metavar="POPULATION", help="two or more that have people in common")
    share.add_argument("--unit", required=True, metavar="UNIT", help="what one person is in all of them")
    _said(share)
    partition = what("partition", PARTITION, "declare disjoint parts", PARTITION_MORE)
    _account(partition)
    partition.add_argument("--by", required=True, metavar="NAME", help="what the parts follow from, like region")
    partition.add_argument("--parts", type=_names, required=True, metavar="A,B", help="their names, parted by commas")
    _said(partition)
    verify = what("verify", VERIFY, "check the chain, and files against it")
    verify.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="made rows, a record.json, or a run's folder"
    )
    verify.add_argument("--head", metavar="DIGEST", help="the digest of an entry that must be there")


def told(options: argparse.Namespace, *, width: int = 80, encoding: str = "utf-8") -> str:
    """Do what was asked of the ledger; what to tell."""
    from tuckpoint.privacy.ledger import Ledger

    return _DO[options.what](Ledger.at(options.ledger), options, {"width": width, "encoding": encoding})


def _reserve(place: argparse.ArgumentParser) -> None:
    _account(place)
    amount = place.add_mutually_exclusive_group(required=True)
    amount.add_argument("--epsilon", type=float, metavar="E", help="the epsilon of the release")
    amount.add_argument("--rho", type=float, metavar="R", help="or its zCDP")
    place.add_argument("--delta", type=float, default=0.0, metavar="D", help="its chance of failure (default: 0)")
    place.add_argument("--purpose", required=True, metavar="TEXT", help="what the release is for")
    place.add_argument("--mechanism", default=HAND, metavar="TEXT", help="what makes it")
    place.add_argument("--columns", type=_names, default=[], metavar="A,B", help="the columns it is about")
    place.add_argument("--part", metavar="NAME", help="of a population that was declared to fall into parts")
    place.add_argument(
        "--input", type=Path, metavar="FILE", help="its table, to see whose budget was charged for it before"
    )
    _who(place)


def _account(place: argparse.ArgumentParser) -> None:
    place.add_argument("population", metavar="POPULATION", help="whose budget it is, by name")
    place.add_argument(
        "--unit", required=True, metavar="UNIT", help="what one person is: a column, or `row` if each row is another"
    )


def _said(place: argparse.ArgumentParser) -> None:
    place.add_argument("--why", required=True, metavar="TEXT", help="the reason, for whoever reads the ledger")
    _who(place)


def _who(place: argparse.ArgumentParser) -> None:
    place.add_argument("--who", metavar="NAME", help="who decides (default: your login)")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _show(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    from tuckpoint.errors import did_you_mean
    from tuckpoint.report.ledger import shown

    accounts = ledger.accounts()
    if not accounts:
        return f"{ledger.path}: nothing was reserved there yet"
    if options.population is not None:
        known = [name for account in accounts for name in account.populations]
        accounts = tuple(account for account in accounts if options.population in account.populations)
        if not accounts:
            near = did_you_mean(options.population, known)
            raise InputError(f'no account of population "{options.population}"{near}; there are: {", ".join(known)}')
    return shown(accounts, place=str(ledger.path), every=options.all, **terminal)


def _do_reserve(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    # A mechanism that is (epsilon, delta) private is delta-approximately epsilon^2 / 2 zCDP: Bun and Steinke 2016
    # (arXiv 1605.02065), proposition 1.4 and section 8.
    from tuckpoint.privacy.book import exact

    rho = exact("rho", options.rho) if options.epsilon is None else exact("epsilon", options.epsilon) ** 2 / 2
    source, people = (None, None) if options.input is None else _fingerprint(options.input, options.unit)
    reserved = ledger.reserve(
        population=options.population,
        unit=options.unit,
        rho=rho,
        delta=options.delta,
        mechanism=options.mechanism,
        columns=options.columns,
        purpose=options.purpose,
        who=options.who,
        part=options.part,
        source=source,
        people=people,
    )
    opened = f"opened an account for {reserved.holder}\n" if reserved.opened else ""
    return (
        f"{opened}entry {reserved.number}: rho {float(reserved.rho):.6g} is reserved and counts as spent\n"
        + _balance(ledger, options.population, options.unit)
    )


def _fingerprint(path: Path, unit: str) -> tuple[str, Sequence[str] | None]:
    """By what the ledger knows a table and its people again."""
    from tuckpoint.errors import did_you_mean
    from tuckpoint.release import people_in
    from tuckpoint.table.frame import read

    frame = read(path)
    names = frame.table.column_names
    if unit not in names and unit != "row":
        near = did_you_mean(unit, names)
        raise InputError(f'unit "{unit}" is not a column of {path}{near}; if every row is another person: --unit row')
    if unit not in names:
        return frame.digest, None
    if gaps := frame.table[unit].null_count:
        raise InputError(f'unit "{unit}": {count(gaps, "row")} of {path} with no person; give each its person first')
    return frame.digest, people_in(frame.table, unit)


def _export(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    output = options.output
    if output is None:
        return ledger.to_json().rstrip("\n")
    if output.suffix not in (".json", ".csv"):
        raise InputError(f"{output}: a ledger is written as .json or .csv")
    check_new(output, overwrite=options.overwrite)
    text = ledger.to_json() if output.suffix == ".json" else ledger.to_csv()
    with replacing(output, overwrite=options.overwrite) as place:
        place.write_text(text, encoding="utf-8")
        place.chmod(0o600)
    return f"{output} written, for your eyes only as the ledger is: it tells who works on which people"


def _policy(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    from tuckpoint.privacy.book import Policy

    policy = Policy(options.epsilon, options.delta)
    ledger.set_policy(options.population, options.unit, policy, why=options.why, who=options.who)
    return _balance(ledger, options.population, options.unit)


def _share(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    ledger.share(options.populations, options.unit, why=options.why, who=options.who)
    return _balance(ledger, options.populations[0], options.unit)


def _partition(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    ledger.partition(options.population, options.unit, options.by, options.parts, why=options.why, who=options.who)
    return f"declared by {options.by}: {', '.join(options.parts)}; charge a part with --part NAME"


def _verify(ledger: Ledger, options: argparse.Namespace, terminal: Mapping[str, Any]) -> str:
    borne = [(path, _stamped(path)) for path in options.files]
    log = ledger.verify(options.head)
    for path, head in borne:
        try:
            ledger.verify(head)
        except TraceError as error:
            raise TraceError(f"{path}: {error}") from None
    lines = [
        f"{ledger.path}: {count(len(log.entries), 'entry', 'entries')}, each follows from the one before",
        f"last entry: {log.head}",
    ]
    if not log.sound:
        lines.append(
            "a crash cut the last line; whoever wrote it was never told that it stands, so nothing was spent on it"
        )
    if borne:
        lines.append(f"the entries of {', '.join(str(path) for path, _ in borne)} stand in it")
    elif options.head is None:
        lines.append(
            "whether entries at its end were cut off, only a digest from elsewhere can tell: pass files that bear one"
        )
    return "\n".join(lines)


def _stamped(path: Path) -> str:
    """The digest of the closing entry, as what was made with --private bears it."""
    from tuckpoint.privacy.ledger import STAMPED
    from tuckpoint.record import Record
    from tuckpoint.write.table import read_stamp

    place = path / "record.json" if path.is_dir() else path
    about = Record.load(place).to_dict() if place.name == "record.json" else read_stamp(place)
    head = ((about or {}).get("privacy") or {}).get(STAMPED)
    if not isinstance(head, str):
        raise InputError(f"{path} bears no entry of a ledger: it was not made with --private")
    return head


def _balance(ledger: Ledger, population: str, unit: str) -> str:
    from tuckpoint.report.ledger import balance

    account = ledger.account(population, unit)
    names = " and ".join(f'"{name}"' for name in account.populations)
    return f"{names} per {unit}. {balance(account)}"


_DO: Mapping[str, Callable[[Ledger, argparse.Namespace, Mapping[str, Any]], str]] = {
    "show": _show,
    "reserve": _do_reserve,
    "export": _export,
    "policy": _policy,
    "share": _share,
    "partition": _partition,
    "verify": _verify,
}
