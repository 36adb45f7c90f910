from dataclasses import replace

import pytest
import yaml

from tuckpoint.errors import InputError, RecipeError
from tuckpoint.recipe import Recipe, Source
from tuckpoint.schema import Column, Schema

SCHEMA = Schema((Column("sex", "category", "string"), Column("age", "integer", "int64")), target="sex")
MAKE = Recipe(
    verb="make",
    source=Source("people.csv", "ab" * 32, rows=10, path="data/people.csv"),
    seed=7,
    schema=SCHEMA,
    settings={"leaf": 20},
    rules=("age >= 0",),
    rows=10,
)
SAMPLE = Recipe("sample", MAKE.source, rows=3, where="age > 3", rebalance={"sex": {"Male": 0.5, "Female": 0.5}})


@pytest.mark.parametrize("recipe", [MAKE, Recipe("fit", MAKE.source, schema=SCHEMA), SAMPLE])
def test_yaml_gives_the_recipe_back(tmp_path, recipe):
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe.to_yaml())
    assert Recipe.load(path) == recipe
    assert Recipe.load(path).to_yaml() == recipe.to_yaml()


def test_digest_sees_all_but_the_path():
    assert replace(MAKE, source=replace(MAKE.source, path="elsewhere.csv")).digest() == MAKE.digest()
    moved = [
        replace(MAKE, seed=8),
        replace(MAKE, rows=11),
        replace(MAKE, settings={"leaf": 21}),
        replace(MAKE, holdout=0.1),
        replace(MAKE, source=replace(MAKE.source, sha256="cd" * 32)),
        replace(MAKE, schema=replace(SCHEMA, target=None)),
    ]
    assert len({recipe.digest() for recipe in [MAKE, *moved]}) == 1 + len(moved)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sed": 3}, 'unknown entry "sed" (did you mean "seed"?)'),
        ({"seed": "7"}, "seed is '7'; give a whole number"),
        ({"seed": True}, "seed is True"),
        ({"seed": -1}, "seed -1 is not a whole number"),
        ({"holdout": 0.95}, "a share from 0 to 0.9"),
        ({"rows": -1}, "rows is -1"),
        ({"k": 0}, "k is 0"),
        ({"mine_rules": "yes"}, "true or false"),
        ({"rules": "age > 0"}, "a list of rules"),
        ({"verb": "mak"}, 'did you mean "make"'),
        ({"tuckpoint_recipe": 99}, "upgrade tuckpoint"),
        ({"schema": {"columns": [{"name": "a"}]}}, "schema: a column needs"),
        ({"source": {"name": "a"}}, "sha256, rows, path, generation, record not given"),
    ],
)
def test_a_wrong_entry_is_named(change, said):
    with pytest.raises(InputError) as caught:
        Recipe.from_dict({**MAKE.to_dict(), **change})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("shares", "said"), [({"Male": 0.9, "Female": 0.5}, "at most 1"), ({}, "above 0"), (0.5, "mapping of columns")]
)
def test_wrong_shares_are_named(shares, said):
    with pytest.raises(RecipeError, match=said):
        Recipe.from_dict({**SAMPLE.to_dict(), "rebalance": {"sex": shares}})


def test_a_recipe_without_a_setting_is_refused():
    plain = MAKE.to_dict()
    del plain["k"]
    with pytest.raises(RecipeError, match="k not given"):
        Recipe.from_dict(plain)


@pytest.mark.parametrize("text", ["", "just text", "a: [", "columns: []"])
def test_what_is_no_recipe_says_so(tmp_path, text):
    path = tmp_path / "recipe.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError):
        Recipe.load(path)


def test_a_missing_file_and_a_folder_say_what_to_do(tmp_path):
    with pytest.raises(RecipeError, match="tuckpoint make"):
        Recipe.load(tmp_path / "none.yaml")
    with pytest.raises(RecipeError, match=r"recipe\.yaml"):
        Recipe.load(tmp_path)


def test_yaml_runs_no_code(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text("tuckpoint_recipe: !!python/object/apply:os.getcwd []\n")
    with pytest.raises(RecipeError, match="the tag !!python"):
        Recipe.load(path)
    assert yaml.safe_load(MAKE.to_yaml())["verb"] == "make"
