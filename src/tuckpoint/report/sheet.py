"""One HTML file that stands alone: the frame, the look and the sections that every page of ours shares."""

from __future__ import annotations

from collections.abc import Iterable
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
        contents="".join(f'<a href="#{section.anchor}">{section.title}</a>' for section in shown),
        sections="\n".join(map(_section, shown)),
        legend=legend,
    )


def _section(section: Section) -> str:
    lead = f'<p class="lead soft">{section.lead}</p>' if section.lead else ""
    return f'<section id="{section.anchor}"><h2>{section.title}</h2>{lead}<div>{section.body}</div></section>'


@cache
def _text(name: str) -> str:
    return (files("tuckpoint.report") / name).read_text(encoding="utf-8")
