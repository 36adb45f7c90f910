"""Keeps every test away from the ledger of whoever runs it, and lets none fail because the machine is busy."""

import pytest
from hypothesis import settings

settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.fixture(autouse=True)
def ledger_of_this_test(tmp_path_factory, monkeypatch):
    """A ledger that does not exist yet, and that no other test spends from."""
    place = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    monkeypatch.setenv("TUCKPOINT_LEDGER", str(place))
    return place
