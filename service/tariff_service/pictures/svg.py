"""A sheet of SVG that is written from the top down: text is measured with the widths of Helvetica, which common fonts share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from tariff_service.output import clean

Size = Decimal | int
_FONT = "Helvetica, Arial, 'Liberation Sans', Arimo, sans-serif"
INK, SOFT, RULE, PALE = "#17202b", "#55606e", "#d5dae1", "#eef0f3"
# Light and dark take turns, so that neighbours stand apart in a gray print too: the fill, and the color of words on it.
FILLS = {
    "base": ("#c5cad2", INK),
    "p0": ("#1d4f91", "#fff"),
    "p1": ("#e9a05b", INK),
    "p2": ("#25693f", "#fff"),
    "p3": ("#cfa3dd", INK),
    "p4": ("#9c1f36", "#fff"),
    "p5": ("#74c5cc", INK),
    "p6": ("#6b4f0a", "#fff"),
    "p7": ("#a9b2f5", INK),
    "p8": ("#4c5d12", "#fff"),
    "p9": ("#e79fc6", INK),
}
_WIDTHS = {  # thousandths of the size of the type, by how wide a sign is
    222: "ijl",
    278: " !,./:;ft\\I|",
    333: "-()r`[]{}",
    389: "*",
    500: "cksvxyzJ",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "mM",
    944: "W%",
}
_WIDE = {sign: width for width, signs in _WIDTHS.items() for sign in signs}
_USUAL, _SLACK, _BOLD = 556, 104, 110  # percent: a little room for a font that runs wider; bold type does


def width(words: str, size: int, *, bold: bool = False) -> Decimal:
    """Return how wide words are at a size of type."""
    return Decimal(sum(_WIDE.get(sign, _USUAL) for sign in words)) * size * (_BOLD if bold else _SLACK) / 100_000


def wrap(words: str, size: int, room: Size, *, bold: bool = False) -> list[str]:
    """Break words into lines that fit; a word wider than a line is broken where it must be."""
    lines, line = [], ""
    for whole in clean(words).split():
        for word in _pieces(whole, size, room, bold=bold):
            longer = f"{line} {word}" if line else word
            if line and width(longer, size, bold=bold) > room:
                lines.append(line)
                longer = word
            line = longer
    return [*lines, line] if line else lines


def _pieces(word: str, size: int, room: Size, *, bold: bool) -> Iterator[str]:
    piece = ""
    for sign in word:
        if piece and width(piece + sign, size, bold=bold) > room:
            yield piece
            piece = ""
        piece += sign
    yield piece


def number(size: Size) -> str:
    """Return a place or size, to a hundredth."""
    text = f"{Decimal(size):.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


class Sheet:
    """What is drawn on a page of a set width; it is as high as it is told at the end."""

    def __init__(self, wide: int, title: str, told: str) -> None:
        """Begin a sheet: `title` and `told` are for those who cannot see it."""
        self._wide, self._title, self._told = wide, clean(title), clean(told)
        self._parts: list[str] = []

    def text(
        self, x: Size, y: Size, words: str, size: int, *, bold: bool = False, color: str = INK, anchor: str = "start", halo: bool = False
    ) -> None:
        """Write one line with its foot at y; a halo keeps it readable on a hatched ground."""
        style = ' font-weight="bold"' if bold else ""
        style += f' text-anchor="{anchor}"' if anchor != "start" else ""
        style += ' stroke="#fff" stroke-width="4" paint-order="stroke"' if halo else ""
        self._parts.append(f'<text x="{number(x)}" y="{number(y)}" font-size="{size}" fill="{color}"{style}>{escape(clean(words))}</text>')

    def lines(self, x: Size, y: Decimal, lines: Sequence[str], size: int, *, bold: bool = False, color: str = INK) -> Decimal:
        """Write lines one below the other from y down; return where the next thing may begin."""
        for line in lines:
            y += size
            self.text(x, y, line, size, bold=bold, color=color)
            y += Decimal(size) * 35 / 100
        return y

    def rect(
        self, x: Size, y: Size, wide: Size, high: Size, fill: str, *, words: str = "", more: str = "", data: Mapping[str, str] | None = None
    ) -> None:
        """Draw a rectangle; words become its title, and data what a program can read from it."""
        told = "".join(f" data-{name}={quoteattr(clean(value))}" for name, value in (data or {}).items())
        end = f"><title>{escape(clean(words))}</title></rect>" if words else "/>"
        place = f'x="{number(x)}" y="{number(y)}" width="{number(wide)}" height="{number(high)}"'
        self._parts.append(f'<rect {place} fill="{fill}"{more}{told}{end}')

    def line(self, start: tuple[Size, Size], end: tuple[Size, Size], color: str = RULE, *, wide: str = "1", dashes: str = "") -> None:
        """Draw a line."""
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        places = f'x1="{number(start[0])}" y1="{number(start[1])}" x2="{number(end[0])}" y2="{number(end[1])}"'
        self._parts.append(f'<line {places} stroke="{color}" stroke-width="{wide}"{dashed}/>')

    def mark(self, x: Size, y: Size, words: str, *, hatched: bool = False) -> None:
        """Draw a round mark with a number in it."""
        fill, ink = ("url(#hatch)", INK) if hatched else (INK, "#fff")
        self._parts.append(
            f'<circle cx="{number(x)}" cy="{number(y)}" r="10" fill="{fill}"{f" stroke={quoteattr(INK)}" if hatched else ""}/>'
        )
        if words:
            self.text(x, Decimal(y) + 4, words, 11, bold=True, color=ink, anchor="middle")

    def finish(self, high: Size) -> str:
        """Return the picture."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._wide}" height="{number(high)}" viewBox="0 0 {self._wide} {number(high)}" '
            f'role="img" aria-labelledby="title desc" font-family="{_FONT}">'
        )
        hatch = (
            '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            f'<line x1="0" y1="0" x2="0" y2="6" stroke="{INK}" stroke-width="1.6"/></pattern></defs>'
        )
        return "\n".join(
            [
                head,
                f'<title id="title">{escape(self._title)}</title>',
                f'<desc id="desc">{escape(self._told)}</desc>',
                hatch,
                f'<rect width="{self._wide}" height="{number(high)}" fill="#fff"/>',
                *self._parts,
                "</svg>\n",
            ]
        )
