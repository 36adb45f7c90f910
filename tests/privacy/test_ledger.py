import os
import subprocess
import sys
import threading
import time
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tuckpoint.errors import InputError, PrivacyError, TraceError
from tuckpoint.privacy import chain
from tuckpoint.privacy import ledger as module
from tuckpoint.privacy.account import rho_of
from tuckpoint.privacy.book import Holder, Policy
from tuckpoint.privacy.ledger import Ledger, default_path, user
from tuckpoint.privacy.lock import locked

ONE = Fraction(rho_of(1, 1e-6))
LIMIT = Policy().limit(Fraction(0))
FILE, OTHER_FILE, MODEL = "a" * 64, "b" * 64, "c" * 64


@pytest.fixture
def ledger(tmp_path):
    return Ledger.at(tmp_path / "ledger.jsonl")


def reserve(ledger, rho=ONE, population="patients", unit="patient_id", **more):
    return ledger.reserve(population=population, unit=unit, rho=rho, mechanism="marginals", **{"who": "Ada", **more})


def only(ledger):
    (account,) = ledger.accounts()
    return account


def written(ledger):
    return ledger.path.read_bytes() if ledger.path.exists() else b""


@pytest.fixture
def refused(ledger):
    """Says of a call that it raises this error and writes nothing."""

    def check(error, match, call, *arguments, **named):
        before = written(ledger)
        with pytest.raises(error, match=match):
            call(*arguments, **named)
        assert written(ledger) == before

    return check


# Where it is


def test_the_place_is_said_or_in_the_environment_or_of_the_user(monkeypatch, tmp_path):
    assert Ledger.at("x.jsonl").path.name == "x.jsonl"
    monkeypatch.setenv("TUCKPOINT_LEDGER", str(tmp_path / "team.jsonl"))
    assert Ledger.at().path == tmp_path / "team.jsonl"
    monkeypatch.setenv("TUCKPOINT_LEDGER", "")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_path() == tmp_path / "state" / "tuckpoint" / "ledger.jsonl"
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path() == tmp_path / ".local" / "state" / "tuckpoint" / "ledger.jsonl"


def test_reading_makes_nothing(ledger):
    assert ledger.accounts() == ()
    assert ledger.head() is None
    assert ledger.made(MODEL) is None
    assert ledger.charged(source=FILE, people=["1"]) == ()
    with pytest.raises(InputError, match="no ledger at"):
        ledger.verify()
    assert '"accounts": []' in ledger.to_json()
    assert ledger.to_csv().count("\n") == 1
    assert os.listdir(ledger.path.parent) == []  # noqa: PTH208 - hidden files too


def test_a_ledger_makes_its_folder_and_is_its_owners(tmp_path):
    ledger = Ledger.at(tmp_path / "state" / "tuckpoint" / "ledger.jsonl")
    reserve(ledger)
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    assert ledger.path.parent.stat().st_mode & 0o077 == 0


def test_who_is_the_user_unless_said(ledger, monkeypatch):
    monkeypatch.setenv("LOGNAME", "grace")
    assert user() == "grace"
    reserve(ledger, who=None)
    reserve(ledger, who="Ada Lovelace")
    assert [spend.who for spend in only(ledger).spends] == ["grace", "Ada Lovelace"]

    def nameless():
        raise KeyError("no such uid")

    monkeypatch.setattr(module.getpass, "getuser", nameless)
    assert user() == f"user {os.getuid()}"


# Spending


def test_a_reservation_counts_at_once_and_closing_lowers_it(ledger):
    reservation = reserve(ledger, columns=["age", "sex"], purpose="a course", source=FILE)
    assert reservation.opened
    account = only(ledger)
    assert (account.rho, account.populations, account.unit) == (ONE, ("patients",), "patient_id")
    assert account.spends[0].closed is None
    head = ledger.spend(reservation, rho=ONE / 3, model=MODEL)
    assert head == ledger.head()
    account = only(ledger)
    assert account.rho == ONE / 3
    (spend,) = account.spends
    assert (spend.model, spend.columns, spend.purpose, spend.source) == (MODEL, ("age", "sex"), "a course", FILE)
    assert spend.closed is not None
    assert not reserve(ledger).opened


@pytest.mark.parametrize(("releases", "epsilon"), [(12, 3.863), (52, 8.914)])
def test_releases_of_a_year_add_up_as_in_zcdp(ledger, releases, epsilon):
    for month in range(releases):
        ledger.spend(reserve(ledger), rho=ONE, model=f"{month:064}")
    account = only(ledger)
    assert account.rho == releases * ONE
    assert account.epsilon == pytest.approx(epsilon, abs=1e-3)
    assert account.alone[account.spends[0].number] == pytest.approx(1, rel=1e-9)
    assert account.total() == {"epsilon": account.epsilon, "delta": 1e-6, "rho": float(account.rho), "failure": 0.0}


def test_the_last_of_the_budget_can_be_spent_and_no_more(ledger, refused):
    reserve(ledger, LIMIT - ONE)
    assert only(ledger).left == ONE
    assert only(ledger).epsilon_left == 1.0
    refused(PrivacyError, "is refused, and nothing was spent", reserve, ledger, ONE + Fraction(1, 2**120))
    reserve(ledger, ONE)
    account = only(ledger)
    assert (account.left, account.epsilon_left, account.over) == (0, 0.0, False)
    assert account.epsilon <= 10
    refused(PrivacyError, "nothing more fits", reserve, ledger, 1e-300)


def test_a_refusal_says_what_is_spent_and_what_would_fit(ledger, refused):
    reserve(ledger, rho_of(9, 1e-6))
    with pytest.raises(PrivacyError) as caught:
        reserve(ledger, rho_of(5, 1e-6))
    said = str(caught.value)
    assert '"patients" per patient_id' in said
    assert "(epsilon 5)" in said
    assert "Of epsilon 10 at delta 1e-06, epsilon 9 is spent" in said
    fits = float(said.partition("up to epsilon ")[2].split()[0])
    assert 3 < fits < 4  # in rho: 10 squared less 9 squared, about
    refused(PrivacyError, "refused", reserve, ledger, rho_of(fits + 0.02, 1e-6))
    reserve(ledger, rho_of(fits, 1e-6))


@pytest.mark.parametrize("bad", [-1, float("nan"), float("inf"), 5e-324, 1e-310, Fraction(-1, 3), Fraction(1, 10**400)])
def test_spends_that_cannot_be_counted_are_refused(ledger, refused, bad):
    reservation = reserve(ledger)
    refused(PrivacyError, "rho", reserve, ledger, bad)
    refused(PrivacyError, "delta", reserve, ledger, delta=bad)
    refused(PrivacyError, "rho", ledger.spend, reservation, rho=bad)
    refused(PrivacyError, "delta", ledger.spend, reservation, rho=ONE, delta=bad)
    assert only(ledger).rho == ONE


def test_nothing_needs_no_reservation_but_may_be_what_was_spent(ledger, refused):
    refused(PrivacyError, "costs nothing", reserve, ledger, 0)
    ledger.spend(reserve(ledger), rho=0)
    assert only(ledger).rho == 0
    assert only(ledger).epsilon == 0


def test_more_than_was_reserved_is_refused_and_the_reservation_stands(ledger, refused):
    reservation = reserve(ledger, delta=1e-9)
    refused(PrivacyError, "more than was reserved", ledger.spend, reservation, rho=ONE * 2)
    refused(PrivacyError, "more than was reserved", ledger.spend, reservation, rho=ONE, delta=2e-9)
    assert only(ledger).rho == ONE
    ledger.spend(reservation, rho=ONE, delta=1e-9)


def test_a_reservation_is_closed_once_and_in_its_own_ledger(ledger, refused, tmp_path):
    reservation = reserve(ledger)
    ledger.spend(reservation, rho=ONE)
    refused(PrivacyError, "closed at .* already", ledger.spend, reservation, rho=0)
    stranger = reserve(Ledger.at(tmp_path / "other.jsonl"))
    refused(PrivacyError, "no reservation 2 with that digest", ledger.spend, stranger, rho=0)
    assert only(ledger).rho == ONE


def test_failure_chances_add_up_and_leave_less_delta(ledger, refused):
    reserve(ledger, delta=4e-7)
    reserve(ledger, delta=4e-7)
    account = only(ledger)
    assert account.delta == 2 * Fraction(4e-7)
    assert account.epsilon > Policy().epsilon_spent(2 * ONE, Fraction(0))
    refused(PrivacyError, "failure chance of 4e-07", reserve, ledger, delta=4e-7)
    refused(PrivacyError, "refused", reserve, ledger, 0, delta=1e-5)


def test_an_account_may_open_with_a_policy_of_its_own(ledger, refused):
    refused(PrivacyError, "Of epsilon 0.5 at delta 1e-09", reserve, ledger, policy=Policy(0.5, 1e-9))
    reserve(ledger, policy=Policy(2, 1e-6))
    assert only(ledger).policy == Policy(2, 1e-6)
    reserve(ledger, policy=Policy(50, 1e-6))  # it is open already
    assert only(ledger).policy == Policy(2, 1e-6)


def test_names_are_checked(ledger, refused):
    refused(InputError, "population is empty", reserve, ledger, population=" ")
    refused(InputError, "purpose", reserve, ledger, purpose="two\nlines")
    refused(InputError, "who is empty", reserve, ledger, who="")


def test_columns_may_be_called_anything(ledger):
    odd = ["", "two\nlines", "x" * 600, " 名前 ", "=1+1"]
    reserve(ledger, columns=odd)
    assert only(ledger).spends[0].columns == tuple(odd)
    assert "'=1+1" not in ledger.to_csv()  # not at the start of its cell


# Drawing from a model


def test_drawing_again_is_free_and_shown(ledger, refused):
    ledger.spend(reserve(ledger), rho=ONE, model=MODEL)
    before = only(ledger).total()
    for _ in range(3):
        assert ledger.drawn(MODEL, 1000, purpose="more rows") == ledger.head()
    account = only(ledger)
    assert account.total() == before
    assert [(draw.rows, draw.purpose, draw.model) for draw in account.draws] == [(1000, "more rows", MODEL)] * 3
    assert ledger.made(MODEL) == account.spends[0]
    refused(InputError, "no release in .* made model dddddddddddd", ledger.drawn, "d" * 64, 5)
    refused(InputError, "-1 rows", ledger.drawn, MODEL, -1)


# Whose budget it is


def test_the_same_table_has_no_second_budget_under_another_name(ledger, refused):
    reserve(ledger, source=FILE)
    again = 'this very table was charged to population "patients" per patient_id before .entry 2, by Ada'
    refused(PrivacyError, again, reserve, ledger, population="clients", source=FILE)
    refused(PrivacyError, 'Use --population "patients"; .*share', reserve, ledger, population="clients", source=FILE)
    refused(PrivacyError, "Use --unit patient_id$", reserve, ledger, unit="row", source=FILE)
    reserve(ledger, source=FILE)
    reserve(ledger, population="clients", source=OTHER_FILE)


def test_the_same_people_have_no_second_budget_in_another_file(ledger, refused):
    reserve(ledger, source=FILE, people=["1", "2", "3"])
    again = "the set of these very people was charged"
    refused(PrivacyError, again, reserve, ledger, population="b", source=OTHER_FILE, people=["3", "2", "1", "1"])
    refused(PrivacyError, again, reserve, ledger, population="b", unit="pid", people=["1", "2", "3"])
    reserve(ledger, population="b", source=OTHER_FILE, people=["12", "3"])


def test_people_are_found_again_without_their_identifiers(ledger):
    reserve(ledger, source=FILE, people=["ada@example.org"])
    reserve(ledger, population="staff", source=OTHER_FILE, people=["bo@example.org"])
    assert b"example.org" not in written(ledger)
    assert ledger.charged(people=["bo@example.org"]) == (Holder("staff", "patient_id"),)
    assert ledger.charged(source=FILE) == (Holder("patients", "patient_id"),)
    assert ledger.charged(source="d" * 64, people=["x"]) == ()
    assert ledger.charged() == ()


def test_the_digest_of_people_is_keyed_by_the_ledger(ledger, tmp_path):
    other = Ledger.at(tmp_path / "other.jsonl")
    for each in (ledger, other):
        reserve(each, people=["1", "2"])
    assert only(ledger).spends[0].people != only(other).spends[0].people


def test_nobody_is_no_set_of_people(ledger):
    reserve(ledger, people=[])
    reserve(ledger, population="b", people=[])


def test_a_slip_of_the_keyboard_opens_no_second_account(ledger, refused):
    reserve(ledger)
    refused(InputError, 'there is an account of "patients"', reserve, ledger, population="Patients")
    refused(PrivacyError, "accounted per patient_id; per row", reserve, ledger, unit="row")
    ledger.set_policy("patients", "row", Policy(1), why="rows are visits", who="Bo")
    reserve(ledger, unit="row")
    assert len(ledger.accounts()) == 2


# Policies


def test_a_policy_can_be_changed_but_not_below_what_is_spent(ledger, refused):
    reserve(ledger, rho_of(3, 1e-6))
    refused(PrivacyError, "is below what is spent already, epsilon 3", ledger.set_policy, "patients", "patient_id",
            Policy(2.9, 1e-6), why="w")  # fmt: skip
    refused(InputError, "why is empty", ledger.set_policy, "patients", "patient_id", Policy(4), why="")
    ledger.set_policy("patients", "patient_id", Policy(3, 1e-6), why="the board", who="Bo")
    refused(PrivacyError, "refused", reserve, ledger, 1e-9)
    ledger.set_policy("patients", "patient_id", Policy(20, 1e-6), why="consent was renewed", who="Bo")
    reserve(ledger, rho_of(10, 1e-6))
    told = [(change.kind, change.who, change.why) for change in only(ledger).changes]
    assert told[1:] == [("policy", "Bo", "the board"), ("policy", "Bo", "consent was renewed")]


def test_a_policy_cannot_go_below_the_failures_spent(ledger, refused):
    reserve(ledger, 0, delta=1e-7)
    refused(
        PrivacyError, "more than this delta", ledger.set_policy, "patients", "patient_id", Policy(10, 1e-8), why="w"
    )


# Populations that overlap


def test_shared_populations_add_up_and_then_nothing_more_is_let_through(ledger, refused):
    reserve(ledger, LIMIT * 2 / 3)
    reserve(ledger, LIMIT * 2 / 3, population="staff")
    ledger.share(["patients", "staff"], "patient_id", why="staff are treated too", who="Bo")
    account = only(ledger)
    assert account.populations == ("patients", "staff")
    assert account.rho == LIMIT * 4 / 3
    assert account.over
    assert account.epsilon > 10
    assert account.left == 0
    refused(PrivacyError, "nothing more fits", reserve, ledger, 1e-9)
    refused(PrivacyError, "nothing more fits", reserve, ledger, 1e-9, population="staff")
    assert account.changes[-1].text.startswith('"patients" and "staff" have people in common')


def test_sharing_is_transitive_and_takes_the_strictest_policy(ledger, refused):
    for name, epsilon in (("a", 10), ("b", 2), ("c", 5), ("d", 10)):
        reserve(ledger, population=name, policy=Policy(epsilon))
    ledger.share(["a", "b"], "patient_id", why="w")
    ledger.share(["c", "a"], "patient_id", why="w")
    account, alone = ledger.accounts()
    assert account.populations == ("a", "b", "c")
    assert account.policy == Policy(2)
    assert account.rho == 3 * ONE
    assert alone.populations == ("d",)
    ledger.set_policy("c", "patient_id", Policy(4), why="w")
    assert ledger.account("a", "patient_id").policy == Policy(4)
    refused(InputError, "one account already", ledger.share, ["b", "c"], "patient_id", why="w")
    refused(InputError, 'no account of population "e"', ledger.share, ["a", "e"], "patient_id", why="w")


def test_the_same_table_may_be_charged_to_either_of_two_that_share(ledger):
    reserve(ledger, source=FILE)
    reserve(ledger, population="staff")
    ledger.share(["patients", "staff"], "patient_id", why="w")
    reserve(ledger, population="staff", source=FILE)


# Disjoint parts


@pytest.fixture
def regions(ledger):
    ledger.partition("patients", "patient_id", "region", ["north", "south"], why="by place of birth", who="Bo")
    return ledger


def test_of_disjoint_parts_the_largest_counts(regions, refused):
    for _ in range(2):
        reserve(regions, LIMIT / 2, part="north")
    reserve(regions, LIMIT * 3 / 4, part="south")
    assert only(regions).rho == LIMIT
    refused(PrivacyError, "refused", reserve, regions, 1e-6, part="north")
    refused(PrivacyError, "refused", reserve, regions, 1e-6)
    reserve(regions, LIMIT / 4, part="south")
    assert only(regions).parts == {"patients": {"region": ("north", "south")}}


def test_parts_must_be_declared_before(ledger, refused):
    reserve(ledger)
    refused(PrivacyError, 'no part "north"; none was declared', reserve, ledger, part="north")
    ledger.partition("patients", "patient_id", "region", ["north", "south"], why="w")
    reserve(ledger, part="north")
    refused(PrivacyError, 'no part "east"; declared are: north, south', reserve, ledger, part="east")


def test_what_was_declared_stays(regions, refused):
    declare = regions.partition
    refused(PrivacyError, "declared already", declare, "patients", "patient_id", "region", ["x", "y"], why="w")
    refused(PrivacyError, "declared already", declare, "patients", "patient_id", "zone", ["North", "y"], why="w")
    refused(PrivacyError, "declared already", declare, "patients", "patient_id", "zone", ["x", "X"], why="w")
    refused(InputError, "at least two", declare, "patients", "patient_id", "zone", ["x"], why="w")
    refused(InputError, "why is empty", declare, "patients", "patient_id", "zone", ["x", "y"], why=" ")


def test_the_same_table_is_not_in_two_disjoint_parts(regions, refused):
    reserve(regions, part="north", source=FILE, people=["1", "2"])
    refused(PrivacyError, 'part "north", so it is not within part "south"', reserve, regions, part="south", source=FILE)
    refused(PrivacyError, "not within", reserve, regions, part="south", people=["2", "1"])
    reserve(regions, part="north", source=FILE)
    regions.partition("patients", "patient_id", "year", ["old", "new"], why="w")
    reserve(regions, part="new", source=FILE)


def test_the_table_of_all_is_not_in_one_part(regions, refused):
    reserve(regions, source=FILE)
    refused(PrivacyError, "as the whole population, so it is not", reserve, regions, part="south", source=FILE)
    reserve(regions, part="south", source=OTHER_FILE)
    reserve(regions, source=OTHER_FILE)


# Crashes and other processes


RESERVE = """
import sys, time
from fractions import Fraction
from pathlib import Path
from tuckpoint.errors import PrivacyError
from tuckpoint.privacy.ledger import Ledger

path, share, go, after = Path(sys.argv[1]), Fraction(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
ledger = Ledger.at(path)
print("ready", flush=True)
while not go.exists():
    time.sleep(0.001)
try:
    reservation = ledger.reserve(population="p", unit="row", rho=share, mechanism="m")
    print("won", flush=True)
except PrivacyError as error:
    print("lost" if "refused" in str(error) else error, flush=True)
if after == "wait":
    time.sleep(60)
"""


def started(ledger, share, go, after="end"):
    process = subprocess.Popen(
        [sys.executable, "-c", RESERVE, str(ledger.path), str(share), str(go), after], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "ready\n"
    return process


def test_of_processes_that_race_for_the_last_budget_one_wins(ledger, tmp_path):
    reserve(ledger, LIMIT / 4, population="p", unit="row")
    racers = [started(ledger, LIMIT / 2, tmp_path / "go") for _ in range(4)]
    (tmp_path / "go").touch()
    said = [racer.communicate(timeout=120)[0].strip() for racer in racers]
    assert sorted(said) == ["lost"] * 3 + ["won"]
    assert only(ledger).rho == LIMIT * 3 / 4
    assert ledger.verify().sound


def test_of_processes_that_race_to_make_the_ledger_all_are_counted(ledger, tmp_path):
    racers = [started(ledger, ONE, tmp_path / "go") for _ in range(3)]
    (tmp_path / "go").touch()
    assert [racer.communicate(timeout=120)[0].strip() for racer in racers] == ["won"] * 3
    assert only(ledger).rho == 3 * ONE


def test_a_run_that_is_killed_has_spent_its_reservation(ledger, tmp_path):
    (tmp_path / "go").touch()
    process = started(ledger, LIMIT * 2 / 3, tmp_path / "go", "wait")
    assert process.stdout.readline() == "won\n"
    process.kill()
    process.wait()
    process.stdout.close()
    account = only(ledger)
    assert account.rho == LIMIT * 2 / 3
    assert account.spends[0].closed is None
    with pytest.raises(PrivacyError, match="refused"):
        reserve(ledger, LIMIT / 2, population="p", unit="row")


def test_threads_of_one_process_are_kept_apart_too(ledger):
    reserve(ledger)
    threads = [threading.Thread(target=reserve, args=(ledger,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert only(ledger).rho == 9 * ONE


def test_a_locked_ledger_is_told_after_a_while_and_nothing_is_spent(ledger, refused):
    reserve(ledger)
    hasty = Ledger(ledger.path, wait_s=0.1)
    with locked(ledger.path):
        began = time.monotonic()
        refused(PrivacyError, f"locked by process {os.getpid()} .*waited 0.1 s, and nothing was spent", reserve, hasty)
        assert time.monotonic() - began < 5
        assert only(ledger).rho == ONE  # reading needs no lock


# Tampering


def test_a_rolled_back_ledger_is_found_by_a_stamped_digest(ledger):
    first = reserve(ledger)
    before = written(ledger)
    head = ledger.spend(first, rho=ONE, model=MODEL)
    assert ledger.verify(head).sound
    reserve(ledger)
    assert ledger.verify(head).sound  # it went on since
    ledger.path.write_bytes(before)
    assert ledger.verify().sound  # the chain alone cannot tell
    with pytest.raises(TraceError, match="holds 3 entries, and that entry is not among them"):
        ledger.verify(head)
    ledger.path.unlink()
    with pytest.raises(TraceError, match="there is no "):
        ledger.verify(head)


@pytest.fixture(scope="module")
def busy(tmp_path_factory):
    """The bytes of a ledger with every kind of entry."""
    ledger = Ledger.at(tmp_path_factory.mktemp("busy") / "ledger.jsonl")
    ledger.partition("patients", "patient_id", "region", ["north", "south"], why="w", who="Bo")
    ledger.spend(reserve(ledger, part="north", people=["1"], columns=["age"]), rho=ONE / 2, model=MODEL)
    ledger.drawn(MODEL, 10, who="Ada")
    reserve(ledger, population="staff", delta=1e-9)
    ledger.set_policy("staff", "patient_id", Policy(5), why="w", who="Bo")
    ledger.share(["patients", "staff"], "patient_id", why="w", who="Bo")
    ledger.path.write_bytes(ledger.path.read_bytes() + b'{"body":{"rho')
    reserve(ledger)
    kinds = {entry.kind for entry in ledger.verify().entries}
    assert kinds == {"ledger", "open", "policy", "share", "partition", "reserve", "spent", "drawn", "torn"}
    return ledger.path.read_bytes()


@given(st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_byte_changed_in_any_entry_is_found(ledger, busy, data):
    place = data.draw(st.integers(0, len(busy) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != busy[place]))
    ledger.path.write_bytes(busy[:place] + bytes([byte]) + busy[place + 1 :])
    for call in (ledger.verify, ledger.accounts, lambda: reserve(ledger)):
        with pytest.raises(TraceError, match="altered"):
            call()


def test_any_truncation_is_found_by_the_head(ledger, busy, monkeypatch):
    monkeypatch.setattr(chain, "_LOOKS", 1)
    ledger.path.write_bytes(busy)
    head = ledger.head()
    ends = [place for place in range(len(busy) - 1) if busy[place : place + 1] == b"\n"]
    for size in (*range(0, len(busy) - 1, 97), *(end + 1 for end in ends)):
        ledger.path.write_bytes(busy[:size])
        with pytest.raises(TraceError):
            ledger.verify(head)


def test_a_crash_in_the_midst_of_a_line_loses_no_reservation(ledger):
    reserve(ledger, LIMIT / 2)
    whole = written(ledger)
    ledger.path.write_bytes(whole + whole.splitlines()[-1][:70])
    assert only(ledger).rho == LIMIT / 2
    assert not ledger.verify().sound
    reserve(ledger, LIMIT / 4)
    assert only(ledger).rho == LIMIT * 3 / 4
    assert written(ledger).startswith(whole)
    assert [entry.kind for entry in ledger.verify().entries][-2:] == ["torn", "reserve"]
