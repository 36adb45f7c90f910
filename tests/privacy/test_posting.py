import pytest

from tuckpoint.errors import TraceError
from tuckpoint.privacy.chain import read, writing
from tuckpoint.privacy.ledger import Ledger
from tuckpoint.privacy.posting import opened

BEGIN = ("ledger", {"tuckpoint_ledger": 1, "key": "00" * 32})
SAID = {"who": "Ada", "why": "w"}
PEOPLE = {"population": "p", "unit": "row"}
OPEN = ("open", {**PEOPLE, "policy": {"epsilon": 10.0, "delta": 1e-6}, **SAID})
RESERVE = (
    "reserve",
    {
        **PEOPLE, "part": None, "rho": "1/10", "delta": "0", "mechanism": "m", "columns": [], "who": "Ada",
        "purpose": "", "source": None, "people": None,
    },
)  # fmt: skip


def entries(path, *posts):
    """Entries of a chain without a fault, whatever they say."""
    with writing(path) as writer:
        for kind, body in posts:
            writer.add(kind, body)
    return read(path).entries


def spent(path, **changes):
    posts = entries(path, BEGIN, OPEN, RESERVE)
    body = {"reservation": 2, "reserved": posts[2].digest, "rho": "1/20", "delta": "0", "model": "c" * 64, **changes}
    return entries(path, ("spent", body))


def test_a_book_follows_its_entries(tmp_path):
    book = opened(spent(tmp_path / "l"))
    assert book.spends[2].model == "c" * 64
    assert float(book.spends[2].rho) == 0.05


def without(post, name):
    kind, body = post
    return kind, {key: value for key, value in body.items() if key != name}


def changed(post, **changes):
    return post[0], {**post[1], **changes}


@pytest.mark.parametrize(
    ("posts", "said"),
    [
        ([OPEN], "begins with the entry `ledger`"),
        ([BEGIN, BEGIN], "has one of them"),
        ([BEGIN, ("refund", {})], 'kind "refund" is not known; was it written by a newer tuckpoint'),
        ([changed(BEGIN, tuckpoint_ledger=2)], "ledger version 2 is not 1; upgrade"),
        ([BEGIN, OPEN, OPEN], "has an account already"),
        ([BEGIN, RESERVE], 'no account of population "p"'),
        ([BEGIN, OPEN, changed(RESERVE, rho="-1/10")], "rho"),
        ([BEGIN, OPEN, changed(RESERVE, rho="1/0")], "Fraction"),
        ([BEGIN, OPEN, changed(RESERVE, rho="a lot")], "Invalid literal"),
        ([BEGIN, OPEN, changed(RESERVE, rho="0")], "costs nothing"),
        ([BEGIN, OPEN, changed(RESERVE, part="north")], "none was declared"),
        ([BEGIN, OPEN, without(RESERVE, "who")], "who"),
        ([BEGIN, changed(OPEN, policy={"epsilon": -1, "delta": 1e-6})], "epsilon"),
        ([BEGIN, changed(OPEN, policy=3)], "mapping"),
        ([BEGIN, OPEN, ("drawn", {"reservation": 7, "model": "c", "rows": 1, **SAID, "purpose": ""})], "7"),
        (
            [BEGIN, OPEN, RESERVE, ("drawn", {"reservation": 2, "model": "c", "rows": 1, **SAID})],
            "not closed with model",
        ),
    ],
)
def test_entries_that_no_ledger_would_let_in_are_found(tmp_path, posts, said):
    """The digests are right: somebody wrote the whole chain anew."""
    ledger = Ledger(tmp_path / "l")
    entries(ledger.path, *posts)
    with pytest.raises(TraceError, match=f"cannot stand in a ledger: .*{said}"):
        ledger.accounts()
    with pytest.raises(TraceError, match="cannot stand"):
        ledger.verify()
    before = ledger.path.read_bytes()
    with pytest.raises(TraceError, match="cannot stand"):
        ledger.reserve(population="p", unit="row", rho=0.1, mechanism="m")
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rho": "1/9"}, "more than was reserved"),
        ({"delta": "1/1000000000"}, "more than was reserved"),
        ({"rho": "-1/20"}, "rho"),
        ({"reservation": 1}, "no reservation 1"),
        ({"reserved": "d" * 64}, "no reservation 2 with that digest"),
    ],
)
def test_a_closing_that_gives_money_back_is_found(tmp_path, changes, said):
    with pytest.raises(TraceError, match=said):
        opened(spent(tmp_path / "l", **changes))


def test_torn_lines_change_nothing(tmp_path):
    log = entries(tmp_path / "l", BEGIN, OPEN, ("torn", {"bytes": 3, "sha256": "", "text": ""}), RESERVE)
    assert len(opened(log).spends) == 1
