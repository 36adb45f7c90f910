"""The recipe: what was asked of one run, fully resolved, as a plain YAML file that `tuckpoint run` repeats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from tuckpoint import declared
from tuckpoint.errors import InputError, RecipeError, did_you_mean
from tuckpoint.record import Input, digest_of, tuckpoint_version
from tuckpoint.schema import Schema
from tuckpoint.seed import Seed

Verb = Literal["make", "fit", "sample"]
HEAD = "tuckpoint_recipe"
VERSION = 1
HINT = "`tuckpoint make` and others write one as recipe.yaml into their folder"
FORMATS = ("parquet", "csv")
_ALWAYS = ("verb", "tuckpoint", "seed", "source")
_FITTING = ("schema", "engine", "settings", "rules", "mine_rules", "k", "charged")
_ENTRIES: Mapping[str, tuple[str, ...]] = {
    "make": (*_ALWAYS, *_FITTING, "holdout", "rows", "format"),
    "fit": (*_ALWAYS, *_FITTING),
    "sample": (*_ALWAYS, "rows", "where", "rebalance", "rules"),
}
_ASKED: Mapping[str, tuple[str, ...]] = {"make": ("fair", "audit"), "fit": (), "sample": ("fair",)}


@dataclass(frozen=True)
class Source:
    """What a run starts from: the file, table or model folder, and the SHA-256 of its content.

    `path` is as the user gave it, relative to the folder the command ran in; None for a table in memory. It is no part
    of the recipe's digest, since it may tell who the user is. `generation` is 0 for real data, more for a twin, and
    `record` the digest of the record that a twin bears. A private run withholds digest and rows (see `record.Input`).
    """

    name: str
    sha256: str
    rows: int | None = 0
    path: str | None = None
    generation: int = 0
    record: str | None = None

    @property
    def input(self) -> Input:
        """The same as records name it."""
        return Input(self.name, self.sha256, self.rows, self.generation, self.record)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the bytes of a run: `make`, `fit` or `sample`, its source, settings and seed root.

    `rows` is how many to make, `holdout` the share kept from fitting (0 to 0.9), `k` the fewest people behind a value
    that may leave, `settings` those of the engine, `where` a condition, `rebalance` wanted shares per column and level.
    `fair` is a fairness target that the rows keep (see `fair.spec`), `audit` whether rows without a guarantee are
    attacked too: entries only where they were asked for.
    `charged` says whose budget a private fit spends: the `population`, its `part` if parts were declared, the
    `purpose`, and once it was spent the `entry` of the ledger (its digest) that closed the charge.
    """

    verb: Verb
    source: Source
    seed: int = 0
    schema: Schema | None = None
    engine: str = "trees"
    settings: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    mine_rules: bool = True
    k: int = 5
    charged: Mapping[str, str | None] | None = None
    holdout: float = 0.2
    rows: int = 0
    where: str | None = None
    rebalance: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    format: str = "parquet"
    fair: Mapping[str, Any] | None = None
    audit: bool = False
    tuckpoint: str = field(default_factory=tuckpoint_version)

    def __post_init__(self) -> None:
        if self.verb not in _ENTRIES:
            raise RecipeError(
                f'unknown verb "{self.verb}"{did_you_mean(str(self.verb), _ENTRIES)}; use one of {_list(_ENTRIES)}'
            )
        if self.verb != "sample" and self.schema is None:
            raise RecipeError(f"a recipe to {self.verb} needs a schema")
        Seed(self.seed)
        _check("holdout", self.holdout, 0 <= self.holdout <= 0.9, "a share from 0 to 0.9")
        _check("rows", self.rows, self.rows >= 0, "a whole number from 0")
        _check("format", self.format, self.format in FORMATS, " or ".join(FORMATS))
        _check("k", self.k, self.k >= 1, "a whole number from 1")
        for column, shares in self.rebalance.items():
            right = (
                bool(shares) and all(share >= 0 for share in shares.values()) and 0 < sum(shares.values()) < 1.000001
            )
            _check(f'rebalance of "{column}"', dict(shares), right, "shares from 0, together above 0 and at most 1")

    def to_dict(self) -> dict[str, Any]:
        """Plain values for YAML and JSON: the entries that this verb knows, none left out."""
        plain: dict[str, Any] = {HEAD: VERSION}
        for name in _ENTRIES[self.verb]:
            value = getattr(self, name)
            if isinstance(value, Source):
                value = dict(vars(value))
            elif isinstance(value, Schema):
                value = value.to_dict()
            elif name == "rebalance":
                value = {column: dict(shares) for column, shares in value.items()}
            elif isinstance(value, Mapping | tuple):
                value = dict(value) if isinstance(value, Mapping) else list(value)
            plain[name] = value
        asked = ({} if self.fair is None else {"fair": dict(self.fair)}) | ({"audit": True} if self.audit else {})
        return {**plain, **asked}

    def digest(self) -> str:
        """The hex SHA-256 of the recipe without the path of its source."""
        plain = self.to_dict()
        del plain["source"]["path"]
        return digest_of(plain)

    def to_yaml(self) -> str:
        """The recipe as YAML text."""
        return declared.dump(self.to_dict())

    @classmethod
    def load(cls, path: str | Path) -> Recipe:
        """Read a recipe that a run wrote; raises RecipeError that names what is wrong."""
        data = entries(path)
        with declared.within(path, RecipeError):
            return cls.from_dict(data)

    @classmethod
    def from_dict(cls, data: Any) -> Recipe:
        """The recipe that `to_dict` gave; an entry that is unknown, missing or of a wrong type raises RecipeError."""
        declared.check_version("recipe", data, HEAD, VERSION, do=HINT, wrong=RecipeError)
        verb = str(data.get("verb"))
        if verb not in _ENTRIES:
            raise RecipeError(f'unknown verb "{verb}"{did_you_mean(str(verb), _ENTRIES)}; use one of {_list(_ENTRIES)}')
        given = {str(name): value for name, value in data.items() if name != HEAD}
        _exactly("recipe", given, (*_ENTRIES[verb], *(name for name in _ASKED[verb] if name in given)))
        return cls(**{name: _read(name, value) for name, value in given.items()})


def entries(path: str | Path) -> dict[str, Any]:
    """The entries of a recipe of whatever verb; raises RecipeError for another file, or one of a newer version."""
    data = declared.read(path, do=HINT, wrong=RecipeError)
    declared.check_version(str(path), data, HEAD, VERSION, do=HINT, wrong=RecipeError)
    return data


def ordered(path: str | Path, verb: str) -> dict[str, Any]:
    """What a recipe of this verb orders; raises RecipeError for one of another verb, or that is none."""
    data = entries(path)
    if data.pop("verb", None) != verb:
        raise RecipeError(f"{path} is no recipe of {verb}; repeat it with: tuckpoint run {path}")
    del data[HEAD]
    return data


def dumped(verb: str, order: Mapping[str, Any]) -> str:
    """YAML that `ordered` reads back."""
    return declared.dump({HEAD: VERSION, "verb": verb, **order})


def _exactly(where: str, data: Mapping[str, Any], known: tuple[str, ...]) -> None:
    declared.check_entries(where, data, known, wrong=RecipeError)
    absent = [name for name in known if name not in data]
    if absent:
        raise RecipeError(f"{where}: {_list(absent)} not given; a recipe holds every setting, as the run wrote it")


def _read(name: str, value: Any) -> Any:
    """One entry, of its right type."""
    right, wanted = _TYPES[name]
    _check(name, value, right(value), wanted)
    if name == "source":
        _exactly("source", value, tuple(item.name for item in fields(Source)))
        _check("source", dict(value), _is_source(value), "text for name, sha256, path and record, numbers for the rest")
        return Source(**value)
    if name == "schema":
        try:
            return Schema.from_dict(value)
        except InputError as error:
            raise RecipeError(f"recipe: schema: {error}") from None
    return tuple(value) if name == "rules" else value


def _check(name: str, value: Any, right: bool, wanted: str) -> None:
    if not right:
        raise RecipeError(f"recipe: {name} is {value!r}; give {wanted}")


def _list(names: Any) -> str:
    return ", ".join(names)


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types) and (bool in types or not isinstance(value, bool))


def _is_source(value: Mapping[str, Any]) -> bool:
    texts = all(map(_is(str), (value["name"], value["sha256"])))
    options = all(map(_is(str, type(None)), (value["path"], value["record"])))
    return texts and options and _is(int)(value["generation"]) and (value["rows"] is None or _is(int)(value["rows"]))


def _is_charge(value: Any) -> bool:
    return value is None or (
        isinstance(value, dict)
        and set(value) == {"population", "part", "purpose", "entry"}
        and all(_is(str, type(None))(text) for text in value.values())
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_shares(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(shares, Mapping)
        and all(isinstance(level, str) and _is(int, float)(share) for level, share in shares.items())
        for shares in value.values()
    )


_TEXT = (_is(str), "text")
_WHOLE = (_is(int), "a whole number")
_TYPES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "verb": _TEXT,
    "tuckpoint": _TEXT,
    "seed": _WHOLE,
    "source": (_is(dict), "a mapping with name, sha256, rows and more"),
    "schema": (_is(dict), "a schema"),
    "engine": _TEXT,
    "settings": (_is(dict), "a mapping of the engine's settings"),
    "rules": (_is_texts, "a list of rules, each in quotes"),
    "mine_rules": (_is(bool), "true or false"),
    "k": _WHOLE,
    "charged": (_is_charge, "null, or a mapping with population, part, purpose and entry"),
    "holdout": (_is(int, float), "a share from 0 to 0.9"),
    "rows": _WHOLE,
    "where": (_is(str, type(None)), "a condition as text, or null"),
    "rebalance": (_is_shares, "a mapping of columns to mappings of levels to shares"),
    "format": _TEXT,
    "fair": (_is(dict), "a fairness target as a mapping"),
    "audit": (_is(bool), "true or false"),
}
