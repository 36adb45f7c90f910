"""From an Arrow table to a model: what is protected, which rules are found, what is saved and refused."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint.errors import InputError, PrivacyError, TraceError
from tuckpoint.files import sha256
from tuckpoint.record import canonical
from tuckpoint.seed import Seed
from tuckpoint.table import fit as fitting
from tuckpoint.table.artefact import ARRAYS, CHECKSUMS, MODEL
from tuckpoint.table.encode import encode
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.marginals import Marginals
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import complete, sample

N = 1200
LOUD = "Liechtenstein"


def table(rows=N, *, seed=0):
    """People with a key, a city that fixes its country, parts and their sum, and a level and a pay that stand out."""
    rng = np.random.default_rng(seed)
    city = rng.integers(0, 6, rows)
    base, bonus = rng.integers(1000, 9000, rows), rng.integers(0, 500, rows)
    nation = np.array(["FR", "FR", "DE", "DE", "DE", "IT"], object)[city]
    nation[:3] = LOUD
    name = np.array(["Paris", "Lyon", "Berlin", "Bonn", "Ulm", "Roma"], object)[city]
    name[:3] = "Vaduz"
    weight = np.round(rng.normal(70, 9, rows), 1)
    weight[7] = 987_654.3
    return pa.table(
        {
            "id": [f"P-{i:06d}" for i in range(rows)],
            "city": name.tolist(),
            "nation": nation.tolist(),
            "base": base,
            "bonus": bonus,
            "total": base + bonus,
            "weight": weight,
            "born": pa.array((rng.integers(0, 20_000, rows)).astype("datetime64[D]")),
        }
    )


def learnt(real, *, engine=None, schema=None, **asked):
    schema = schema or infer(real)
    engine = engine or Trees(trees=2, rounds=10)
    return fitting.fit(real, schema, engine=engine, seed=Seed(1), context=Context(target=schema.target), **asked)


@pytest.fixture(scope="module")
def model():
    return learnt(table())


@pytest.fixture(scope="module")
def made(model):
    return sample(model, 1500, Seed(2))


def test_rules_are_found_and_obeyed(model, made):
    texts = {rule.text for rule in model.book.rules if rule.enforced}
    assert any("total" in text for text in texts)
    assert {item.name for item in model.book.free} < {"city", "nation", "base", "bonus", "total", "weight", "born"}
    assert np.array_equal(made["total"].to_numpy(), made["base"].to_numpy() + made["bonus"].to_numpy())
    nations = {}
    for city, nation in zip(made["city"].to_pylist(), made["nation"].to_pylist(), strict=True):
        assert nations.setdefault(city, nation) == nation
    for text, share in model.book.adherence(encode(made, model.schema).columns):
        assert share == 1.0, text


def test_no_rules_if_none_are_wanted():
    assert learnt(table(), mine_rules=False).book.rules == ()


def test_the_made_table_has_the_names_types_and_order_of_the_real_one(made):
    real = table()
    assert made.schema.equals(real.schema)
    assert len(set(made["id"].to_pylist())) == 1500
    assert not set(made["id"].to_pylist()) & set(real["id"].to_pylist())


def test_what_few_people_hold_leaves_neither_in_rows_nor_in_the_model(model, made, tmp_path):
    assert LOUD not in made["nation"].to_pylist()
    assert "Vaduz" not in made["city"].to_pylist()
    for name in ("weight", "base", "bonus"):
        fifth_low, fifth_high = np.sort(table()[name].to_numpy())[[4, -5]]
        assert fifth_low <= made[name].to_numpy().min()
        assert made[name].to_numpy().max() <= fifth_high
    fitting.save(model, tmp_path / "model")
    told = b"".join(path.read_bytes() for path in (tmp_path / "model").iterdir())
    for secret in (LOUD.encode(), b"Vaduz", b"987654.3", np.float64(987_654.3).tobytes(), b"P-000123"):
        assert secret not in told
    assert b"Berlin" in told


def test_people_and_not_rows_are_counted():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(200), 6)
    loud = np.where(person < 4, "whale", rng.choice(["a", "b"], 1200))  # 24 rows, 4 people
    peak = np.where(person < 4, 1e6, rng.integers(0, 100, 1200))
    real = pa.table({"who": [f"u{i}" for i in person], "kind": loud.tolist(), "size": peak})
    made = sample(learnt(real, schema=infer(real, person="who")), 3000, Seed(1))
    assert "whale" not in made["kind"].to_pylist()
    assert made["size"].to_numpy().max() < 100
    alone = sample(learnt(real.drop_columns(["who"])), 3000, Seed(1))
    assert "whale" in alone["kind"].to_pylist()


def test_a_rule_of_a_person_is_obeyed_and_a_wrong_one_refused():
    real = table()
    model = learnt(real, rules=["bonus * 3 <= base"])
    made = sample(model, 400, Seed(3))
    assert (made["bonus"].to_numpy() * 3 <= made["base"].to_numpy()).all()
    with pytest.raises(InputError, match=r"real rows obey it"):
        learnt(real, rules=["bonus > base"])


def test_a_table_without_rows_is_refused():
    with pytest.raises(InputError, match="no rows"):
        learnt(table().slice(0, 0), schema=infer(table()))


def test_a_private_engine_sees_no_domain_from_data():
    with pytest.raises(PrivacyError, match="read off"):
        learnt(table(), engine=Marginals())


@pytest.mark.parametrize("engine", [Trees(), Independent(), Marginals()])
def test_identifiers_alone_are_made_anew(engine, tmp_path):
    real = table().select(["id"])
    model = learnt(real, engine=engine)
    made = sample(model, 70, Seed(1))
    assert made.schema.equals(real.schema)
    assert len(set(made["id"].to_pylist()) - set(real["id"].to_pylist())) == 70
    fitting.save(model, tmp_path / "model")
    assert sample(fitting.load(tmp_path / "model"), 70, Seed(1)).equals(made)
    assert complete(model, pa.table({"id": pa.array([None, "P-1"])}), Seed(1))["id"][1].as_py() == "P-1"


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_tables_of_a_few_rows_are_learnt_and_tell_nobody(rows):
    real = table(20).slice(0, rows)
    made = sample(learnt(real), 30, Seed(1))
    assert made.num_rows == 30
    assert set(made["city"].to_pylist()) == {"(rare)"}
    assert all(len(set(made[name].to_pylist())) == 1 for name in ("base", "weight", "born"))


def test_many_columns_of_few_rows_are_learnt():
    rng = np.random.default_rng(0)
    wide = pa.table({f"c{i}": rng.normal(size=60) if i % 2 else rng.choice(["a", "b"], 60) for i in range(120)})
    made = sample(learnt(wide, engine=Trees(trees=1)), 20, Seed(1))
    assert made.column_names == wide.column_names


def test_thousands_of_levels_stay_with_what_they_tell():
    rng = np.random.default_rng(0)
    level, shift = rng.integers(0, 1500, 12_000), rng.normal(size=1500)
    real = pa.table(
        {"zip": [f"z{i:04d}" for i in level], "x": np.round(shift[level] + 0.1 * rng.normal(size=12_000), 3)}
    )
    made = sample(learnt(real), 6000, Seed(1))
    zips = made["zip"].to_pylist()
    assert len(set(zips)) > 1000
    known = np.array([z != "(rare)" for z in zips])
    told = np.array([shift[int(z[1:])] if z != "(rare)" else 0.0 for z in zips])
    assert np.corrcoef(told[known], made["x"].to_numpy()[known])[0, 1] > 0.95


FRESH = """
import sys, pyarrow as pa
from tuckpoint.seed import Seed
from tuckpoint.table.fit import load
from tuckpoint.table.sample import sample
made = sample(load(sys.argv[1]), 90, Seed(4), where='base > 3000 and city == "Bonn"')
with pa.ipc.new_stream(sys.stdout.buffer, made.schema) as out:
    out.write_table(made)
"""


def test_a_saved_model_makes_the_same_rows_in_a_new_process(model, tmp_path):
    digest = fitting.save(model, tmp_path / "model")
    assert fitting.save(model, tmp_path / "again") == digest
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH, str(tmp_path / "model")], capture_output=True, check=False
    )
    assert told.returncode == 0, told.stderr.decode()
    here = sample(model, 90, Seed(4), where='base > 3000 and city == "Bonn"')
    assert pa.ipc.open_stream(told.stdout).read_all().equals(here)
    back = fitting.load(tmp_path / "model")
    assert back.schema == model.schema
    assert back.notes == model.notes
    assert back.book.to_dict() == model.book.to_dict()


def reseal(place):
    sums = {n: {"bytes": (place / n).stat().st_size, "sha256": sha256(place / n)} for n in (MODEL, ARRAYS)}
    (place / CHECKSUMS).write_bytes(canonical(sums))


def test_a_damaged_model_is_refused(model, tmp_path):
    fitting.save(model, tmp_path / "model")
    for name in (MODEL, ARRAYS):
        place = tmp_path / "model" / name
        whole = place.read_bytes()
        place.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
        with pytest.raises(TraceError, match=name):
            fitting.load(tmp_path / "model")
        place.write_bytes(whole)


def altered(model, change):
    change(model["meta"], model["parts"]["engine"]["values"])
    return model


@pytest.mark.parametrize(
    "change",
    [
        lambda meta, engine: meta.pop("schema"),
        lambda meta, engine: meta.update(fields=[]),
        lambda meta, engine: meta.update(fields=3),
        lambda meta, engine: meta["rules"].update(version=99),
        lambda meta, engine: meta.update(engine="independent"),
        lambda meta, engine: engine.update(sequence=engine["sequence"][::-1]),
        lambda meta, engine: engine.update(sequence=engine["sequence"][1:]),
        lambda meta, engine: engine.update(columns=[]),
        lambda meta, engine: engine["columns"][-1].update(features=["nowhere"]),
        lambda meta, engine: engine["settings"].update(trees=0),
        lambda meta, engine: engine["settings"].update(unheard=0),
        lambda meta, engine: engine.update(seed={"root": -1, "path": []}),
        lambda meta, engine: engine.update(seed=None),
    ],
)
def test_a_forged_model_whose_parts_do_not_fit_is_refused(model, tmp_path, change):
    place = tmp_path / "model"
    fitting.save(model, place)
    told = json.loads((place / MODEL).read_text())
    (place / MODEL).write_bytes(canonical(altered(told, change)))
    reseal(place)
    with pytest.raises(TraceError):
        fitting.load(place)
