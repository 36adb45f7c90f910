"""Files in which a user declares something, in YAML: the one place that reads, refuses and writes them.

Read is the core of YAML 1.2 (yaml.org/spec/1.2.2, chapter 10.3), and a whole number with a leading zero is text: `on`,
`no`, 2024-03-01, 12:30 and the postcode 01234 stay what somebody wrote. What is written, readers of YAML 1.1 and 1.2
understand alike. An entry that stands twice, a tag that names a type, and a file or a nest of aliases that would fill
the memory are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from tuckpoint.errors import InputError, did_you_mean

VERSION = 1
BYTES = 32 * 2**20  # a file that a person wrote, or corrected, is smaller
NODES = 1_000_000  # values with each alias counted as often as it stands for them
DEPTH = 64
QUOTE = "put quotes around text with one of : # [ ] { } , & * ! | > % @ ` in it, and indent by spaces"
_TAG = "tag:yaml.org,2002:"
_PLAIN = {
    "null": ("~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": ("true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": ("[-+]?(?:0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
}
_TAGS = {_TAG + name for name in (*_PLAIN, "str", "seq", "map")}


class _Loader(yaml.SafeLoader):
    """Values of JSON alone, and no more of them than NODES."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.nodes = self.depth = 0
        self.sizes: dict[int, int] = {}  # of whole nodes, that an alias may name

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        alias, before = self.check_event(yaml.AliasEvent), self.nodes
        self.depth += 1
        if self.depth > DEPTH:
            raise ComposerError(None, None, f"lists and mappings within each other, {DEPTH} deep", mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if alias and id(node) not in self.sizes:
            raise ComposerError(None, None, "an alias within what it stands for", mark)
        self.nodes += self.sizes[id(node)] if alias else 1
        self.sizes[id(node)] = self.nodes - before
        if self.nodes > NODES:
            raise ComposerError(None, None, f"over {NODES:,} values, aliases written out", mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag not in _TAGS:
            raise ConstructorError(None, None, f"the tag {node.tag.replace(_TAG, '!!')}; leave it out", node.start_mark)
        try:
            return super().construct_object(node, deep)
        except ValueError as error:
            raise ConstructorError(None, None, f"no number: {error}", node.start_mark) from None

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """YAML 1.2 merges no mappings."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in lines:
                what = f'"{key.value}" stands here and in line {lines[name]}; keep one of them'
                raise ConstructorError(None, None, what, key.start_mark)
            lines[name] = key.start_mark.line + 1
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would take for another type, and writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # PyYAML folds these breaks as if they were spaces, unless it escapes them.
        return self.represent_scalar(f"{_TAG}str", data, style='"' if set(data) & set("\x85\u2028\u2029") else None)


_Dumper.add_representer(str, _Dumper.represent_str)
_Loader.yaml_implicit_resolvers = {}
for _name, (_pattern, _first) in _PLAIN.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def dump(entries: Mapping[str, Any]) -> str:
    """Plain values as YAML that `read` gives back the same; in the order in which they stand."""
    told: str = yaml.dump(entries, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return told


def read(path: str | Path, *, do: str, wrong: type[InputError] = InputError) -> dict[str, Any]:
    """The entries of a YAML file; raises `wrong` that names file, line and what was found there.

    `do` says what to do where there is no such file, or it holds something else.
    """
    if not isinstance(path, str | PathLike):
        raise wrong(f"{path!r} is no path; {do}")
    text = _text(Path(path), do, wrong)
    try:
        data = _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        raise wrong(f"{path}{_told(error, text)}") from None
    if not isinstance(data, dict):
        raise wrong(f"{path} holds {_kind(data)}, and no mapping of entries; {do}")
    if others := [name for name in data if not isinstance(name, str)]:
        raise wrong(f"{path}: entries have text for a name, and {others[0]!r} is none; {do}")
    return data


def load(path: str | Path, kind: str, known: Iterable[str], *, guide: str) -> dict[str, Any]:
    """The entries of a file that begins with `tuckpoint_KIND: 1`; raises InputError for another file or entry.

    `guide` is the document that shows how such a file is written.
    """
    head, known = f"tuckpoint_{kind}", tuple(known)
    data = read(path, do=f"see {guide} for how {kind} are written")
    check_version(str(path), data, head, VERSION, do=f"see {guide}")
    check_entries(str(path), data, (head, *known))
    return data


def check_version(
    where: str, data: Any, head: str, version: int, *, do: str, wrong: type[InputError] = InputError
) -> None:
    """Raise `wrong` unless these are entries of which `head` says this version."""
    found = data.get(head) if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or head not in data:
        raise wrong(f"{where} must begin with {head}: {version}; {do}")
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise wrong(f"{where}: {head} is {found!r}; write {head}: {version}")
    if found > version:
        raise wrong(f"{where}: {head} {found} is newer than this tuckpoint (knows {version}); upgrade tuckpoint")


def check_entries(
    where: str, data: Mapping[str, Any], known: Iterable[str], *, wrong: type[InputError] = InputError
) -> None:
    """Raise `wrong` for an entry that there is not, with the nearest that there is."""
    known = tuple(known)
    for name in data:
        if name not in known:
            more = did_you_mean(str(name), known)
            raise wrong(f'{where}: unknown entry "{name}"{more}; known: {", ".join(known)}')


@contextmanager
def within(path: str | Path, wrong: type[InputError] = InputError) -> Iterator[None]:
    """Name the file in what is found wrong with its entries, and raise it as `wrong`."""
    try:
        yield
    except InputError as error:
        raise wrong(f"{path}: {error}") from None


def _text(path: Path, do: str, wrong: type[InputError]) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(BYTES + 1)
    except FileNotFoundError:
        raise wrong(f"no file {path}; {do}") from None
    except IsADirectoryError:
        raise wrong(f"{path} is a folder; {do}") from None
    except OSError as error:
        raise wrong(f"cannot read {path}: {error.strerror}") from None
    if len(data) > BYTES:
        raise wrong(f"{path} is larger than {BYTES >> 20} MiB, and no file that somebody declares things in; {do}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise wrong(f"{path}, line {line}: no UTF-8 text (byte 0x{data[error.start]:02x}); save it as UTF-8") from None


def _told(error: yaml.YAMLError, text: str) -> str:
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f", line {line}: character U+{error.character:04X} is not allowed in YAML; delete it"
    mark, begun = getattr(error, "problem_mark", None), getattr(error, "context_mark", None)
    place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
    problem, context = getattr(error, "problem", None) or str(error), getattr(error, "context", None)
    if isinstance(error, ComposerError | ConstructorError):
        return f"{place}: {problem}"
    more = f", {context}" if context else ""
    more += f" begun in line {begun.line + 1}" if begun is not None and mark and begun.line < mark.line else ""
    return f"{place}: no YAML: {problem}{more}; {QUOTE}"


def _kind(data: Any) -> str:
    if isinstance(data, str):
        return f'the text "{data[:40]}{"..." if len(data) > 40 else ""}"'
    return "nothing" if data is None else "a list" if isinstance(data, list) else f"the value {data!r}"
