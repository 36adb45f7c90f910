"""Published rates: made rows agree with them, and a slice of ten rows learns what its rows could not tell."""

import numpy as np
import pyarrow as pa
import pytest
from prove.laws import law, plan

from tuckpoint.errors import InputError
from tuckpoint.prove import sources
from tuckpoint.prove.kinds.rates import Rates
from tuckpoint.prove.plan import Source
from tuckpoint.prove.source import Task
from tuckpoint.prove.study import study
from tuckpoint.seed import Seed
from tuckpoint.table.infer import infer

WHERE = 'place == "a"'


def rates(*told, level="yes", **more):
    given = [
        {"source": "a bureau", **dict(zip(("where", "rate", "standard_error"), one, strict=False))} for one in told
    ]
    return Rates(tuple(given), level=level, **more)


def task(table, where=WHERE, rows=400, target="y", key=1):
    return Task(table, infer(table, target=target), target, rows, where, Seed(key))


def column(made, name="y"):
    return np.array(made.table[name].to_pylist())


def few(table, kept=10):
    """The table with ten rows of its slice."""
    inside = np.array(table["place"].to_pylist()) == "a"
    return table.filter(pa.array(~inside | (np.cumsum(inside) <= kept)))


def test_made_rows_of_a_slice_agree_with_its_rate():
    made = rates((WHERE, 0.9)).make(task(few(law(400))))
    assert made.table.num_rows == 400
    assert set(column(made, "place")) == {"a"}
    assert (column(made) == "yes").mean() == pytest.approx(0.9, abs=0.01)
    assert made.facts['real rows in `place == "a"`'] == 10
    # the model's order is kept: who is likelier by it is so still
    x = column(made, "x")
    assert x[column(made) == "yes"].mean() > x[column(made) == "no"].mean()


def test_rows_outside_all_slices_stay_the_engines():
    whole = law(600)
    made = rates((WHERE, 0.9), ("z > 0", 0.6)).make(task(whole, None, 1500))
    place, z, yes = column(made, "place"), column(made, "z"), column(made) == "yes"
    assert yes[place == "a"].mean() == pytest.approx(0.9, abs=0.02)
    assert yes[z > 0].mean() == pytest.approx(0.6, abs=0.02)
    assert yes[(place != "a") & (z <= 0)].mean() == pytest.approx(0.5, abs=0.1)


def test_a_standard_error_is_drawn_anew_in_each_fit():
    table = few(law(400))
    place = f"published rate in `{WHERE}`"

    def told(one, key):
        return one.make(task(table, rows=50, key=key)).facts[place]

    unsure = [told(rates((WHERE, 0.7, 0.05)), key) for key in range(4)]
    assert len(set(unsure)) == 4
    assert 0.5 < min(unsure) <= max(unsure) < 0.9
    assert {told(rates((WHERE, 0.7)), key) for key in range(2)} == {0.7}


def test_the_mean_of_a_number():
    one = rates((WHERE, 1.5), level=None)
    made = one.make(task(few(law(400)), target="x"))
    assert column(made, "x").mean() == pytest.approx(1.5, abs=0.15)
    assert column(made, "x").std() > 0.5


def test_a_model_learns_of_a_slice_what_its_ten_rows_do_not_tell():
    """In place a the outcome is yes nine times in ten, whatever x says; elsewhere it hangs on x."""

    def own(rows, key):
        table = law(rows, key)
        place = np.array(table["place"].to_pylist())
        coin = Seed(key, ("coin",)).numpy().random(rows) < 0.9
        y = np.where(place == "a", np.where(coin, "yes", "no"), np.array(table["y"].to_pylist()))
        return table.set_column(3, "y", [y])

    train, test = few(own(600, 1)), own(1500, 2)
    work = study(plan(), pa.concat_tables([train, test]))
    real, judged = np.arange(train.num_rows), np.arange(train.num_rows, len(work.truth))
    judged = judged[np.array(test["place"].to_pylist()) == "a"]
    told = {"rates": [{"where": WHERE, "rate": 0.9, "source": "s"}], "level": "yes"}
    source = Source("rates", kind="rates", settings=told, where=WHERE)
    block = sources.made(work, source, real, Seed(1), finished={}, most=1.0).block
    losses = []
    for more in ([], [block.weighing(200.0)]):
        model = sources.trained(work, [sources.real(work, real), *more], Seed(1))
        told = sources.predicted(work, model, judged)
        told = told if work.outcome.labels[1] == "yes" else 1 - told
        yes = np.array(work.table["y"].to_pylist())[judged] == "yes"
        losses.append(-np.log(np.clip(np.where(yes, told, 1 - told), 1e-6, 1)).mean())
    assert losses[1] < losses[0] - 0.1
    assert losses[1] < 0.45  # the law itself: 0.325


def test_no_rows_and_why():
    table = law(200)
    none = table.filter(pa.array(np.array(table["place"].to_pylist()) != "a"))
    assert "too few" in rates((WHERE, 0.9)).make(task(none)).why
    assert "no rate was published" in rates(('place == "b"', 0.9)).make(task(table)).why
    assert "no rows have all these rates" in rates((WHERE, 0.9), ("x < 99", 0.1)).make(task(table)).why
    assert "no column" in rates(("size > 3", 0.9)).make(task(table)).why


def test_the_level_must_be_said_and_known():
    with pytest.raises(InputError, match="say which level"):
        rates((WHERE, 0.9), level=None).make(task(law(200)))
    with pytest.raises(InputError, match='"maybe" is no value of "y"'):
        rates((WHERE, 0.9), level="maybe").make(task(law(200)))
    with pytest.raises(InputError, match="between 0 and 1"):
        rates((WHERE, 1.9))
    with pytest.raises(InputError, match="say who published it"):
        Rates(({"where": WHERE, "rate": 0.5, "source": " "},))


def test_a_file_of_rates_is_read_whole_into_the_plan(tmp_path):
    file = tmp_path / "rates.yaml"
    file.write_text("tuckpoint_rates: 1\nlevel: yes\nrates: [{where: 'age < 25', rate: 0.1, source: census}]\n")
    told = Rates.planned(file)
    assert told == {"level": "yes", "rates": [{"where": "age < 25", "rate": 0.1, "source": "census"}]}
    digests = {plan(sources=(Source("r", kind="rates", settings=told),)).digest()}
    told["rates"][0]["rate"] = 0.2
    digests |= {plan(sources=(Source("r", kind="rates", settings=told),)).digest()}
    assert len(digests) == 2
    file.write_text("tuckpoint_rates: 1\nlevel: true\nrates: [{where: 'x < 1', rate: 0.1, source: census}]\n")
    assert Rates.planned(file)["level"] == "true"
    for wrong in (
        "rates: []",
        "tuckpoint_rates: 1\nrate: []",
        "tuckpoint_rates: 1\nrates: 3",
        "tuckpoint_rates: 1\nrates: []",
    ):
        file.write_text(wrong)
        with pytest.raises(InputError):
            Rates.planned(file)
    with pytest.raises(InputError, match="no file"):
        Rates.planned(tmp_path / "none.yaml")


def gap(mean, error=0.01, cost=2.0, where="age < 25", level="yes"):
    told = {"rows": 80, "means": {level: mean}, "errors": {level: error}, "costs": {level: cost}}
    return {"missing": {"where": where, "rows": 12}, "expected": told}


@pytest.mark.parametrize(
    ("found", "settled"),
    [
        (gap(0.12), True),  # 2 * 0.02 ** 2 is less than what matters
        (gap(0.3), False),
        (gap(0.12, where="age <= 24"), None),  # perhaps the same people, but nobody says so
        (gap(0.12, where="not age >= 25"), True),
        (gap(0.12, where="age < 30"), None),
        (gap(0.12, level="no"), None),
        ({"missing": {"where": "age < 25", "rows": 12}, "expected": None}, None),
    ],
)
def test_a_rate_foretells_what_agreeing_with_it_would_bring_to_its_gap(found, settled):
    one = Rates(({"where": "age < 25", "rate": 0.1, "source": "census", "standard_error": 0.01},), level="yes")
    found = one.foretells(found)
    assert (None if found is None else found.gain < 0.02) is settled
    if settled:
        assert "0.1 is published (census) and the model expects 0.12" in found.told
        assert "the loss by 0.0008 [0, 0.0046]" in found.told  # 2 (0.02 + 1.96 * 0.0141)^2


def test_a_published_mean_foretells_in_spreads_of_the_number():
    one = Rates(({"where": "age < 25", "rate": 20.0, "source": "census"},))
    assert one.foretells(gap(21.0, cost=0.01, level="")).gain == pytest.approx(0.01)
    assert one.foretells(gap(23.0, cost=0.01, level="")).gain == pytest.approx(0.09)


def test_it_serves_gaps_that_a_rate_speaks_of():
    one = rates(("age < 25", 0.1))
    assert one.serves({"missing": {"where": "age < 22", "rows": 12}}) == ""
    also = {"where": 'role == "child"', "also": ["age < 20"], "rows": 12}
    assert one.serves({"missing": also}) == ""
    assert "no published rate" in one.serves({"missing": {"where": "age >= 40", "rows": 12}})
    assert "other columns" in one.serves({"missing": {"where": "age < 22", "rows": 0}})
    assert "other columns" in one.serves({"missing": {"where": "age < 22", "rows": 9}, "support": "outside"})


def test_the_same_seed_makes_the_same_rows_and_leaves_the_training_rows_alone():
    table = few(law(300))
    before = table.to_pydict()
    one = rates((WHERE, 0.9, 0.02))
    first, again, other = (one.make(task(table, rows=60, key=key)).table for key in (1, 1, 2))
    assert first == again
    assert first != other
    assert table.to_pydict() == before
    plainer = rates((WHERE, 0.9, 0.02), engine="independent").make(task(table, rows=60)).table
    assert plainer != first
