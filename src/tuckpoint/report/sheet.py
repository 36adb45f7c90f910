"""One HTML file that stands alone: the frame, the look and the sections that every page of ours shares."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib.resources import files
from string import Template

from tuckpoint.report.chart import glyph

LIMIT_BYTES = 400_000  # of a whole page


@dataclass(frozen=True)
class Section:
    """One part of the page; without a body it is left out. `lead` and `body` are HTML."""

    anchor: str
    title: str
    lead: str
    body: str


@dataclass(frozen=True)
class Head:
    """What stands above the sections. `title` is plain text, `state` chooses the glyph, the rest is HTML."""

    title: str
    description: str
    banner: str
    heading: str
    about: str
    state: str
    headline: str
    outcome: str


def sheet(head: Head, sections: Iterable[Section], *, legend: str, styles: tuple[str, ...] = ("style.css",)) -> str:
    """The page as HTML, without scripts and without anything to load; `styles` are files beside this module."""
    shown = [section for section in sections if section.body]
    return Template(_text("page.html")).substitute(
        title=escape(head.title),
        description=escape(head.description),
        style="".join(map(_text, styles)),
        banner=head.banner,
        heading=head.heading,
        about=head.about,
        glyph=glyph(head.state),
        headline=head.headline,
        outcome=head.outcome,
        contents=" ".join(f'<a href="#{section.anchor}">{section.title}</a>' for section in shown),
        sections="\n".join(map(_section, shown)),
        legend=legend,
    )


def _section(section: Section) -> str:
    lead = f'<p class="lead soft">{section.lead}</p>' if section.lead else ""
    return f'<section id="{section.anchor}"><h2>{section.title}</h2>{lead}<div>{section.body}</div></section>'


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = (), css: str = "") -> str:
    """A table of HTML cells, the first of each row its name; on a phone rows become blocks. Without rows, nothing.

    `right` names the columns of figures.
    """

    def side(head: str) -> str:
        return "num" if head in right else ""

    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>'
        + "".join(
            f'<td class="{" ".join(filter(None, (side(head), "" if cell else "empty")))}" data-is="{head}">{cell}</td>'
            for head, cell in zip(heads[1:], row[1:], strict=True)
        )
        + "</tr>"
        for row in rows
    )
    top = "".join(f'<th scope="col" class="{side(head)}">{head}</th>' for head in heads)
    return f'<table class="stack {css}"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>' if body else ""


def facts(entries: Iterable[tuple[str, str]]) -> str:
    """Names and HTML values as the entries of a definition list."""
    return "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in entries)


@cache
def _text(name: str) -> str:
    return (files("tuckpoint.report") / name).read_text(encoding="utf-8")
