"""Reads a page as tags, attributes and text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TAGS = {
    "html", "head", "meta", "title", "style", "body", "div", "header", "main", "footer", "nav", "section", "p",
    "h1", "h2", "h3", "ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "strong", "b",
    "bdi", "span", "a", "code", "pre", "sup", "figure", "figcaption", "svg", "desc", "g", "path", "rect",
    "circle", "text", "details", "summary",
}  # fmt: skip


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on tags that are left open."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    @property
    def prose(self) -> str:
        """The text without the spaces that elements leave before punctuation."""
        return re.sub(r" ([.,;:)])", r"\1", self.text)
