"""From an Arrow table to a model: what is protected, which rules are found, what is saved and refused."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from tuckpoint import parts
from tuckpoint.errors import InputError, PrivacyError, TraceError
from tuckpoint.files import sha256
from tuckpoint.privacy import noise
from tuckpoint.privacy.account import Account
from tuckpoint.record import canonical
from tuckpoint.schema import Column, Domain, Schema
from tuckpoint.seed import Seed
from tuckpoint.table import counting, estimate
from tuckpoint.table import fit as fitting
from tuckpoint.table.artefact import ARRAYS, CHECKSUMS, MODEL
from tuckpoint.table.complete import complete
from tuckpoint.table.decode import storage_type
from tuckpoint.table.encode import declared, encode
from tuckpoint.table.engine import Context
from tuckpoint.table.engines.independent import Independent
from tuckpoint.table.engines.marginals import Marginals
from tuckpoint.table.engines.trees import Trees
from tuckpoint.table.infer import infer
from tuckpoint.table.sample import sample

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


def clinic(visits=300):
    """Visits of sixty patients, as text where text can hold anything."""
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "patient": [f"p{i % 60}" for i in range(visits)],
            "age": [str(v) for v in rng.integers(20, 80, visits)],
            "city": rng.choice(["Bonn", "Ulm"], visits).tolist(),
            "well": rng.choice(["true", "false"], visits).tolist(),
            "score": [f"{v:.1f}" for v in rng.random(visits)],
            "seen": [f"2024-01-{v:02d}" for v in rng.integers(1, 31, visits)],
        }
    )


# One more patient, each of whose cells is something that no schema foresees, in more rows than are counted.
ODD = pa.table(
    {
        "patient": ["odd"] * 7,
        "age": ["412", "-3", "old", None, "1e300", "inf", "3.5"],
        "city": ["Vaduz", None, "", "other", "ULM", "Bonn ", "?"],
        "well": ["perhaps", None, "1", "yes", "", "TRUE", "2"],
        "score": ["0.123456789", "9", None, "-1", "a", "nan", "1e-9"],
        "seen": ["0001-01-01", "9999-12-31", "2024-02-31", None, "soon", "2024-01-15", ""],
    }
)


def meant(**domains):
    columns = [
        Column("patient", "identifier", "string", pattern="key:1"),
        Column("age", "integer", "int64", missing=True, domain=Domain("public", 0, 120)),
        Column("city", "category", "string", domain=Domain("expert", levels=("Bonn", "Ulm"))),
        Column("well", "boolean", "bool", missing=True),
        Column("score", "decimal", "double", decimals=1, domain=Domain("public", 0.0, 1.0)),
        Column("seen", "date", "date32[day]", missing=True, domain=Domain("public", 19_700, 19_800)),
    ]
    return Schema(tuple(replace(c, domain=domains.get(c.name, c.domain)) for c in columns), person="patient")


ENGINES = [part for part in map(partial(parts.find, "engine"), parts.names("engine")) if part.private]
PRIVATE = {"declared": {}, "estimated": {n: Domain("dp") for n in ("age", "city", "score", "seen")}}


@pytest.fixture
def only_noise(monkeypatch):
    """All noisy numbers are the same whatever the rows are: what still differs between two fits was read off them."""
    plain = counting.noisy
    for module in [m for m in sys.modules.values() if vars(m).get("noisy") is plain]:
        monkeypatch.setattr(module, "noisy", lambda counts, variance: np.full(np.shape(counts), 40.0))
    monkeypatch.setattr(estimate, "_noisy", lambda counts, variance: np.zeros(len(counts)))
    monkeypatch.setattr(noise, "exponential_choice", lambda *_: 0)


@pytest.mark.usefixtures("only_noise")
@pytest.mark.parametrize("domains", PRIVATE)
@pytest.mark.parametrize(("part", "unit"), [(part, unit) for part in ENGINES for unit in ("person", "row")])
def test_two_neighbouring_tables_differ_in_nothing_but_noise(tmp_path, domains, part, unit):
    """Schema, fields, rules, notes, settings, and every byte of the model, with one person (or row) more or less."""
    engine = part(unit=unit, rows_per_person=3)
    first = ODD if unit == "person" else ODD.slice(0, 1)
    told = set()
    for name, real in {"with": pa.concat_tables([clinic(), first]), "out": clinic(), "none": clinic(0)}.items():
        model = learnt(real, engine=engine, schema=meant(**PRIVATE[domains]), rules=["age >= 18", "score < 0.9"], k=9)
        assert all(f.provenance != "data" for f in model.book.fields)
        told.add(fitting.save(model, tmp_path / name))
    assert len(told) == 1


@pytest.mark.parametrize("domains", PRIVATE)
@pytest.mark.parametrize("row", range(7))
def test_no_row_makes_a_private_fit_raise(domains, row):
    real = pa.concat_tables([clinic(60), ODD.slice(row, 1)])
    made = sample(learnt(real, engine=Marginals(), schema=meant(**PRIVATE[domains])), 40, Seed(1))
    assert made.num_rows == 40
    if domains == "declared":
        assert set(made["city"].to_pylist()) <= {"Bonn", "Ulm"}
        assert not any(age is not None and not 0 <= age <= 120 for age in made["age"].to_pylist())


STORAGES = {
    "integer": ("int8", "uint64", "int64", "double", "string"),
    "decimal": ("float", "double", "decimal128(6, 2)", "string"),
    "date": ("date32[day]", "timestamp[ns]", "string"),
    "datetime": ("timestamp[ns]", "timestamp[us, tz=Europe/Berlin]", "string"),
    "duration": ("duration[us]", "duration[ns]", "time64[us]", "time32[s]", "int64", "string"),
}


@pytest.mark.parametrize(("kind", "storage"), [(kind, one) for kind, some in STORAGES.items() for one in some])
def test_whatever_range_noise_shows_can_be_made(monkeypatch, kind, storage):
    monkeypatch.setattr(estimate, "_noisy", lambda counts, variance: np.full(len(counts), 10**7))
    decimals = {"decimal": 2, "datetime": 3}.get(kind)
    schema = Schema((Column("x", kind, storage, decimals=decimals, domain=Domain("dp")),))
    real = pa.table({"x": pa.array([], storage_type(storage))})
    model = learnt(real, engine=Marginals(), schema=schema)
    assert model.schema["x"].domain.high > 100
    made = sample(model, 200, Seed(1))
    assert made.schema.equals(real.schema)
    assert made["x"].null_count == 0


@pytest.mark.parametrize("part", ENGINES)
def test_a_private_engine_spends_only_what_is_left(part):
    columns = ("age", "city", "well")
    schema = Schema(tuple(meant()[name] for name in columns))
    real = declared(encode(clinic(), schema, strict=False), schema)
    account = Account.open(2.0, 1e-6)
    account.spend("before", account.rho * Fraction(9, 10))
    told = part(epsilon=100.0, delta=0.1).fit(real, Seed(1), Context(account=account, target="city")).guarantee
    assert account.rho * Fraction(9, 10) < account.total <= account.rho
    assert told.spent["before"] == pytest.approx(float(account.rho) * 0.9)
    assert told.rho == pytest.approx(float(account.total))
    assert (told.delta, told.epsilon) == (1e-6, account.spent_epsilon())
    assert told.epsilon <= 2.0
    assert isinstance(told.rows, int)
    assert json.loads(json.dumps(told.to_dict())) == told.to_dict()
    alone = part(epsilon=2.0, delta=1e-6).fit(real, Seed(1), Context()).guarantee
    assert alone.epsilon <= 2.0
    assert alone.rho > float(account.rho) / 10  # all of what was left there, even where noise lets it choose no table


def test_what_was_estimated_stands_in_the_schema_the_notes_and_the_guarantee():
    model = learnt(clinic(300), engine=Marginals(epsilon=20.0), schema=meant(**PRIVATE["estimated"]))
    for name in PRIVATE["estimated"]:
        assert model.schema[name].domain.provenance == "dp"
    assert model.schema["city"].domain.levels[-1] == "other"
    assert any("age, city, score, seen" in note for note in model.notes)
    spent = model.guarantee.spent
    assert {'range of "age"', 'levels of "city"', "number of rows", "single columns"} <= set(spent)
    assert sum(spent.values()) == pytest.approx(model.guarantee.rho)
    assert model.guarantee.failure == pytest.approx(1e-10)
    assert model.guarantee.epsilon <= 20
    assert model.guarantee.rows == pytest.approx(60, abs=20)


def test_a_row_without_its_person_is_refused_before_anything_is_spent(monkeypatch):
    spent = []
    monkeypatch.setattr(Account, "spend", lambda *given: spent.append(given))
    gap = clinic(40).set_column(0, "patient", pa.array(["a"] * 39 + [None]))
    with pytest.raises(PrivacyError, match=r'unit column "patient" names nobody in 1 of 40 rows \(first: row 40\)'):
        learnt(gap, engine=Marginals(), schema=meant())
    numbers = clinic(40).set_column(0, "patient", pa.array([1.5] * 20 + [float("nan")] * 20))
    with pytest.raises(PrivacyError, match="20 of 40"):
        learnt(numbers, engine=Marginals(), schema=meant())
    words = clinic(40).set_column(0, "patient", pa.array(["a"] * 38 + ["", "N/A"]))
    with pytest.raises(PrivacyError, match="2 of 40"):
        learnt(words, engine=Marginals(), schema=meant())
    with pytest.raises(PrivacyError, match="read off"):
        learnt(clinic(40), engine=Marginals(), schema=meant(age=Domain("data", 0, 9)))
    assert not spent


def test_a_delta_near_one_persons_share_is_told():
    notes = [learnt(clinic(), engine=Marginals(delta=d, epsilon=9.0), schema=meant()).notes for d in (1e-2, 1e-6)]
    assert any("delta 0.01 is above" in note for note in notes[0])
    assert not any("delta" in note for note in notes[1])


def test_notes_about_the_rows_leave_the_schema_of_a_private_fit():
    schema = meant().with_column(replace(meant()["age"], note="3 cells say 'old': taken as missing"))
    assert learnt(clinic(), engine=Marginals(), schema=schema).schema["age"].note == ""


def test_rows_without_people_may_be_the_unit():
    gap = clinic(40).set_column(0, "patient", pa.array(["a"] * 39 + [None]))
    assert learnt(gap, engine=Marginals(unit="row"), schema=meant()).guarantee.unit == "one row"


def test_truncation_is_told_but_not_whom_it_struck():
    notes = [
        learnt(real, engine=Marginals(rows_per_person=2), schema=meant()).notes
        for real in (clinic(60), clinic(300))  # one visit each, five each
    ]
    assert notes[0] == notes[1]
    assert any("of each person at most 2 rows" in note for note in notes[0])
    lonely = Schema(meant().columns)
    assert any("each row was counted" in n for n in learnt(clinic(60), engine=Marginals(), schema=lonely).notes)


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
    told = json.loads((place / MODEL).read_text("utf-8"))
    (place / MODEL).write_bytes(canonical(altered(told, change)))
    reseal(place)
    with pytest.raises(TraceError):
        fitting.load(place)


def test_the_rules_that_are_listed_are_those_that_a_fit_obeys():
    """Products that few rows hold hid that each has one price, and without kinds no calendar was seen."""
    rng = np.random.default_rng(8)
    product = rng.choice(300, 2000, p=(share := 1 / np.arange(1, 301)) / share.sum())
    day = rng.integers(0, 700, 2000)
    real = pa.table(
        {
            "product": [f"p{at:03d}" for at in product],
            "price": np.round(rng.gamma(2, 20, 300), 2)[product],
            "sold": pa.array(day + 19000, pa.int32()).cast(pa.date32()),
            "year": [str(at) for at in 1970 + (np.datetime64("1970-01-01") + day + 19000).astype("M8[Y]").astype(int)],
            "size": rng.integers(1, 90, 2000),
        }
    )
    schema = infer(real)
    listed = fitting.rules_in(real, schema)
    obeyed = fitting.fit(real, schema, engine=Independent(), seed=Seed(1), context=Context()).book.rules
    assert listed == obeyed
    assert {"product -> price", "year(sold) == year"} <= {rule.text for rule in listed if rule.enforced}
