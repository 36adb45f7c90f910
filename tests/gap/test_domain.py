import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.errors import InputError
from tuckpoint.gap.domain import load, uncovered
from tuckpoint.seed import Seed
from tuckpoint.table.encode import encode
from tuckpoint.table.infer import infer

DOMAIN = {
    "factors": {"weather": ["clear", "rain", "fog"], "light": ["day", "night"], "speed": [0, 50, 100]},
    "ways": 2,
    "rows": 5,
}


def drives(rows=2000):
    random = Seed(1).numpy()
    weather = np.array(["clear", "rain", "fog"])[random.integers(0, 3, rows)]
    light = np.array(["day", "night"])[random.integers(0, 2, rows)]
    return pa.table({"weather": weather, "light": light, "speed": random.uniform(0, 100, rows)})


def searched(table, domain):
    schema = infer(table)
    return uncovered(domain, encode(table, schema), schema)


def test_a_full_domain_has_no_gap():
    found, coverage, looked = searched(drives(), DOMAIN)
    assert found == []
    assert [one.enough for one in coverage] == [1.0, 1.0]
    assert looked == 7 + 16


def test_an_empty_pair_is_found_and_an_impossible_one_is_not():
    table = drives()
    fog_at_night = (np.array(table["weather"].to_pylist()) == "fog") & (np.array(table["light"].to_pylist()) == "night")
    table = table.filter(pa.array(~fog_at_night))
    found, coverage, _ = searched(table, DOMAIN)
    assert [gap.where for gap in found] == ['weather == "fog" and light == "night"']
    assert coverage[1].any_row == 15 / 16
    found, coverage, _ = searched(table, {**DOMAIN, "invalid": ['weather == "fog" and light == "night"']})
    assert found == []
    assert coverage[1].infeasible == 1


def test_an_empty_level_is_told_once():
    domain = {**DOMAIN, "factors": {**DOMAIN["factors"], "weather": ["clear", "snow"]}}
    found, _, _ = searched(drives(), domain)
    assert [(gap.where, gap.lacking) for gap in found] == [('weather == "snow"', 5)]


def test_a_declared_share_is_told_only_where_it_is_surely_missed():
    table = drives(2000)
    assert searched(table, {"factors": DOMAIN["factors"], "ways": 1, "share": 0.3})[0] == []
    found, _, _ = searched(table, {"factors": DOMAIN["factors"], "ways": 1, "share": 0.4})
    assert {gap.where for gap in found} == {'weather == "clear"', 'weather == "rain"', 'weather == "fog"'}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("factors: {}", "tuckpoint_domain"),
        ("tuckpoint_domain: 1\nfactors: {}\nrows: 3", "no factors"),
        ("tuckpoint_domain: 1\nfactors: {a: [x, y]}", "rows: 20 or share"),
        ("tuckpoint_domain: 1\nfactor: {a: [x, y]}\nrows: 1", "did you mean"),
        ("tuckpoint_domain: 1\nfactors: {a: [x, y]}\nrows: 1\nways: 7", "ways 7"),
    ],
)
def test_a_domain_that_says_too_little_is_refused(tmp_path, text, said):
    (tmp_path / "d.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        load(tmp_path / "d.yaml")
