"""Keeps every test away from the ledger of whoever runs it."""

import pytest


@pytest.fixture(autouse=True)
def ledger_of_this_test(tmp_path_factory, monkeypatch):
    """A ledger that does not exist yet, and that no other test spends from."""
    place = tmp_path_factory.mktemp("ledger") / "ledger.jsonl"
    monkeypatch.setenv("TUCKPOINT_LEDGER", str(place))
    return place
