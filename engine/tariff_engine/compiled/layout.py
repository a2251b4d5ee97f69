"""What stands on a line, laid out: its rows in filing order, how they split the line, and their rates as integers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tariff_engine.compiled.plan import Laid, PlanRow, numbers_of
from tariff_engine.problems import LawConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tariff_engine.compiled.form import Reach
    from tariff_engine.compiled.plan import Pattern, State

_KINDS = {"add": "additional", "up_to": "total", "in_lieu": "total", "prohibited": "prohibited"}


def lay_out(
    filed: Sequence[State], at_floor: Sequence[bool], order: Mapping[str, int], pattern: Pattern, reach: Callable[[Reach, str], int]
) -> Laid:
    """Lay out what is filed of what stands.

    `at_floor` says of each whether the base rate reaches it as a total; `order` is that of filing; `reach` returns the parts of the value that
    a base means. Raises LawConflictError where live duties are not ordered.
    """
    _refuse_unordered(filed)
    ranked: list[tuple[int, str, PlanRow]] = []
    for state, floor in zip(filed, at_floor, strict=True):
        rank = order[state.live.program.files_as]
        ranked.extend([(rank, row.heading, row) for row in _rows_of(state, pattern, reach, floor=floor)])
    ranked.sort(key=lambda one: one[:2])
    rows = tuple([row for _, _, row in ranked])
    groups = _split(rows, pattern)
    totals = tuple([row.parts for row in rows if row.kind == "total"])
    instead = {state.live.provision.index for state in filed if state.kind == "in_lieu"}
    in_lieu = [row.parts for row in rows if row.kind == "total" and not row.framed and row.place in instead]
    # cents are (first * dollars + second) // third, half a cent upward
    money = tuple([(200 * row.top if row.parts else 0, row.bottom, 2 * row.bottom) for row in rows])
    taken = tuple([any(parts & mask for parts in totals) for mask, _ in groups])
    return Laid(
        rows=rows,
        groups=groups,
        total_groups=taken,
        framed=any(row.framed and row.kind == "total" for row in rows),
        replaced=all(any(parts & mask for parts in in_lieu) for mask, _ in groups),
        prohibited=any(state.kind == "prohibited" for state in filed),
        money=money,
        any_framed=any(row.framed for row in rows),
        charges=tuple(
            [
                (mask, total, tuple([money[place] for place in inside if rows[place].parts & mask and rows[place].top]))
                for (mask, inside), total in zip(groups, taken, strict=True)
            ]
        ),
        totals=totals,
    )


def _rows_of(state: State, pattern: Pattern, reach: Callable[[Reach, str], int], *, floor: bool) -> list[PlanRow]:
    place = state.live.provision.index
    heading = state.at_floor if floor and state.at_floor else state.heading
    kind = _KINDS.get(state.kind, "exemption")
    rate = Fraction(0) if floor or kind in {"exemption", "prohibited"} else state.rate
    kind = "exemption" if floor else kind
    framed = state.frame is not None and sum(pattern.amounts[bit] for bit in numbers_of(state.parts)) > state.frame
    found = [PlanRow(heading, place, kind, rate.numerator, rate.denominator, state.parts, framed)]
    companion = state.live.effect.companion
    if companion:
        parts = pattern.present & ~state.reach
        if companion[1].mask & pattern.present or not companion[2]:
            parts = reach(companion[1], state.live.provision.id)
        if parts & ~pattern.zero:
            found.append(PlanRow(companion[0], place, "exemption", 0, 1, parts, framed=False))
    return found


def _split(rows: tuple[PlanRow, ...], pattern: Pattern) -> tuple[tuple[int, tuple[int, ...]], ...]:
    found: dict[tuple[bool, ...], int] = {}
    for bit in numbers_of(pattern.present & ~pattern.zero):
        key = tuple([bool(row.parts >> bit & 1) for row in rows])
        found[key] = found.get(key, 0) | 1 << bit
    masks = list(found.values())
    if len(masks) < 2:  # noqa: PLR2004  one line: the parts worth nothing belong to it too
        masks = [pattern.present]
    return tuple([(mask, tuple([n for n, row in enumerate(rows) if row.parts & mask or not row.parts])) for mask in masks])


def _refuse_unordered(filed: Sequence[State]) -> None:
    """Two live duties of a one-of program on the same part that nothing orders are never silently added."""
    seen: dict[int, list[State]] = {}
    for state in filed:
        program = state.live.program
        if program.one_of and state.is_duty:
            for other in seen.get(program.index, []):
                if other.parts & state.parts:
                    one, two = (s.heading or s.live.provision.id for s in (other, state))
                    message = f"{one} and {two} of {program.name} both reach the line and nothing orders them"
                    raise LawConflictError(message)
            seen.setdefault(program.index, []).append(state)
