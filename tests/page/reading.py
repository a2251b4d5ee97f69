"""Read a page as a person does: elements with their classes and the text that they show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})


@dataclass(eq=False)
class Element:
    """An element: its tag, attributes, children and own texts in order."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    inside: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of the element, with single spaces."""
        return " ".join(self._text().split())

    def _text(self) -> str:
        return "".join(one if isinstance(one, str) else one._text() for one in self.inside)  # noqa: SLF001

    @property
    def classes(self) -> set[str]:
        """Its classes."""
        return set(self.attributes.get("class", "").split())

    def walk(self) -> Iterator[Element]:
        """Yield every element below."""
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one.walk()

    def all(self, tag: str = "", cls: str = "") -> list[Element]:
        """Return the elements below of a tag, of a class, or both."""
        return [one for one in self.walk() if tag in {"", one.tag} and (not cls or cls in one.classes)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(found)
        if tag not in _VOID:
            self.open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        self.open[-1].inside.append(data)


def read(text: str) -> Element:
    """Return the document."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.root
