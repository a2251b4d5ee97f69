"""The peers, each given the same rules in the form that it is quickest with. Each says the rules that a line meets, as `Matching.expected` does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from matching import COMPARE, Condition, Rule, Span

Told = Mapping[str, Any]


class Peer(Protocol):
    """A rule engine with the rules compiled into it."""

    def prepare(self, told: Told) -> Any:
        """Bring what a line says into the form that the engine takes; not timed."""

    def match(self, prepared: Any) -> set[int]:
        """Return the rules that a line meets; timed."""


class Durable:
    """durable-rules: a line is a fact, which every rule may match, in rulesets of twelve rules: it fails where some eighty match one fact."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str], most: int = 12) -> None:
        from tariff_engine.durable.session import Rulesets  # noqa: PLC0415  a peer that is not installed is left out

        self._host = Rulesets()
        self._sets = []
        for start in range(0, len(rules), most):
            some = {f"r{start + place}": [{"line": rule.condition}] for place, rule in enumerate(rules[start : start + most])}
            self._host.register(f"peers{start}", some)
            wanted = {name for rule in rules[start : start + most] for name in _names(rule.condition)}
            self._sets.append((f"peers{start}", [name for name in names if name in wanted]))

    def prepare(self, told: Told) -> list[tuple[str, dict[str, Any]]]:
        return [(name, {term: told[term] for term in wanted}) for name, wanted in self._sets]

    def match(self, prepared: list[tuple[str, dict[str, Any]]]) -> set[int]:
        found = set()
        for name, facts in prepared:
            with self._host.session(name) as session:
                found |= {int(rule[1:]) for rule, _ in session.tell(facts)}
        return found


class Zen:
    """zen-engine: one decision table that collects, a row a rule, its one cell an expression on the whole line."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str]) -> None:
        import zen  # noqa: PLC0415

        del names
        rows = [{"_id": f"r{number}", "when": _zen(rule.condition), "rule": str(number)} for number, rule in enumerate(rules)]
        table = {
            "hitPolicy": "collect",
            "inputs": [{"id": "when", "name": "when", "type": "expression"}],
            "outputs": [{"id": "rule", "name": "rule", "type": "expression", "field": "rule"}],
            "rules": rows,
        }
        place = {"x": 0, "y": 0}
        nodes = [
            {"id": "in", "type": "inputNode", "name": "in", "position": place},
            {"id": "table", "type": "decisionTableNode", "name": "table", "position": place, "content": table},
            {"id": "out", "type": "outputNode", "name": "out", "position": place},
        ]
        edges = [
            {"id": "a", "type": "edge", "sourceId": "in", "targetId": "table"},
            {"id": "b", "type": "edge", "sourceId": "table", "targetId": "out"},
        ]
        model = {"contentType": "application/vnd.gorules.decision", "nodes": nodes, "edges": edges}
        self._decision = zen.ZenEngine().create_decision(json.dumps(model))

    def prepare(self, told: Told) -> dict[str, Any]:
        return dict(told)

    def match(self, prepared: dict[str, Any]) -> set[int]:
        found = self._decision.evaluate(prepared)["result"]
        return {int(row["rule"]) for row in (found if isinstance(found, list) else [found] if found else [])}


class Datalogic:
    """datalogic-py: one compiled JSON Logic expression, which merges the numbers of the rules that are met."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str]) -> None:
        import datalogic_py  # noqa: PLC0415

        del names
        met = [{"if": [_json_logic(rule.condition), [number], []]} for number, rule in enumerate(rules)]
        self._compiled = datalogic_py.Engine().compile({"merge": met})

    def prepare(self, told: Told) -> dict[str, Any]:
        return dict(told)

    def match(self, prepared: dict[str, Any]) -> set[int]:
        return set(self._compiled.evaluate(prepared))


class DatalogicLists(Datalogic):
    """datalogic-py that reads the lists of products itself: an expression that says on which lists a number stands, then the one above."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str], lists: Mapping[str, Sequence[Span]]) -> None:
        import datalogic_py  # noqa: PLC0415

        super().__init__(rules, names)
        self._names, self._sizes = list(lists), sorted({span.size for spans in lists.values() for span in spans})
        asked = [{"or": [_listed(span) for span in spans]} for spans in lists.values()]
        self._lists = datalogic_py.Engine().compile({"merge": [{"if": [one, [number], []]} for number, one in enumerate(asked)]})

    def prepare(self, told: Told) -> tuple[dict[str, Any], dict[str, Any]]:
        number = {f"h{size}": told["hts"][:size] for size in self._sizes if size <= len(told["hts"])}
        others = {name: value for name, value in told.items() if name not in {*self._names, "hts"}}
        return {"day": told["day"], "hts": told["hts"], **number}, others | dict.fromkeys(self._names, False)

    def match(self, prepared: tuple[dict[str, Any], dict[str, Any]]) -> set[int]:
        number, others = prepared
        return super().match(others | {self._names[place]: True for place in self._lists.evaluate(number)})


class OpenFisca:
    """OpenFisca-core: a variable a rule, computed for all lines at once on NumPy arrays; one more for each list that it is to read."""

    def __init__(self, rules: Sequence[Rule], names: Sequence[str], lists: Mapping[str, Sequence[Span]] | None = None) -> None:
        from openfisca_core import entities, periods, taxbenefitsystems, variables  # noqa: PLC0415

        line = entities.build_entity(key="line", plural="lines", label="line", is_person=True)
        entry = entities.build_entity(key="entry", plural="entries", label="entry", roles=[{"key": "of", "plural": "ofs", "label": "of"}])
        self._system = taxbenefitsystems.TaxBenefitSystem([line, entry])
        self._count, self._codes, self._names = len(rules), dict[str, int](), list(names)

        def add(name: str, kind: type, formula: Any = None) -> None:
            body = {"value_type": kind, "entity": line, "definition_period": periods.DateUnit.MONTH, "label": name}
            self._system.add_variable(type(name, (variables.Variable,), body | ({"formula": formula} if formula else {})))

        self._read = dict(lists or {})
        for name in [*names, "n8", "n2"]:  # whole numbers are of 32 bits: ten digits are two of them
            add(name, int, self._listed(self._read[name]) if name in self._read else None)
        for number, rule in enumerate(rules):
            add(f"r{number}", bool, self._formula(rule.condition))

        def total(lines: Any, period: Any) -> Any:
            return sum(lines(f"r{number}", period).astype(int) for number in range(self._count))

        add("met", int, total)

    def _listed(self, spans: Sequence[Span]) -> Any:
        import numpy as np  # noqa: PLC0415

        tables = [(span, np.array(span.codes, np.int64), [(10 ** (10 - len(one)), int(one)) for one in span.cut]) for span in spans]

        def formula(lines: Any, period: Any) -> Any:
            number = lines("n8", period).astype(np.int64) * 100 + lines("n2", period)
            day = lines("day", period)
            found = np.zeros(len(number), bool)
            for span, codes, cut in tables:
                on = (day >= span.start) & (day < span.end) & np.isin(number // 10 ** (10 - span.size), codes)
                for scale, code in cut:
                    on &= number // scale != code
                found |= on
            return found.astype(int)

        return formula

    def _formula(self, condition: Condition) -> Any:
        compiled = self._compile(condition)
        return lambda lines, period: compiled(lambda name: lines(name, period))

    def _compile(self, condition: Condition) -> Any:
        ((key, value),) = condition.items()
        if key in {"$and", "$or"}:
            parts, both = [self._compile(part) for part in value], key == "$and"

            def join(get: Any) -> Any:
                found = parts[0](get)
                for part in parts[1:]:
                    found = (found & part(get)) if both else (found | part(get))
                return found

            return join
        if key in COMPARE:
            ((name, bound),) = value.items()
            compare, number = COMPARE[key], self._code(bound)
            return lambda get: compare(get(name), number)
        number = self._code(value)
        return lambda get: get(key) == number

    def _code(self, value: Any) -> int:
        """Text is a number of its own: OpenFisca computes on arrays of numbers."""
        return self._codes.setdefault(value, 10_000_000 + len(self._codes)) if isinstance(value, str) else int(value)

    def columns(self, told: Sequence[Told]) -> dict[str, Any]:
        import numpy as np  # noqa: PLC0415

        found = {name: np.array([self._code(one[name]) for one in told]) for name in self._names if name not in self._read}
        numbers = [one["hts"].ljust(10, "0") for one in told]
        return found | {"n8": np.array([int(one[:8]) for one in numbers]), "n2": np.array([int(one[8:]) for one in numbers])}

    def count(self, columns: dict[str, Any], times: int = 1) -> tuple[Any, Any]:
        """Return the simulation of these lines, repeated, and a function that computes how many rules each line meets."""
        import numpy as np  # noqa: PLC0415
        from openfisca_core.simulation_builder import SimulationBuilder  # noqa: PLC0415

        size = len(next(iter(columns.values()))) * times
        inputs = {name: np.tile(column, times) for name, column in columns.items()}

        def run() -> Any:
            simulation = SimulationBuilder().build_default_simulation(self._system, size)
            for name, column in inputs.items():
                simulation.set_input(name, "2025-01", column)
            return simulation, simulation.calculate("met", "2025-01")

        return size, run


def _listed(span: Span) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [{"in": [{"var": f"h{span.size}"}, span.codes]}]
    parts += [{"!": [{"starts_with": [{"var": "hts"}, code]}]} for code in span.cut]
    return {"and": [{">=": [{"var": "day"}, span.start]}, {"<": [{"var": "day"}, span.end]}, *parts]}


def _names(condition: Condition) -> set[str]:
    from matching import names  # noqa: PLC0415

    return names(condition)


def _zen(condition: Condition) -> str:
    ((key, value),) = condition.items()
    if key in {"$and", "$or"}:
        return "(" + (" and " if key == "$and" else " or ").join(_zen(part) for part in value) + ")"
    sign = {"$gte": ">=", "$gt": ">", "$lte": "<=", "$lt": "<", "$neq": "!="}.get(key, "==")
    name, bound = next(iter(value.items())) if key in COMPARE else (key, value)
    text = str(bound).lower() if isinstance(bound, bool) else f"'{bound}'" if isinstance(bound, str) else str(bound)
    return f"{name} {sign} {text}"


def _json_logic(condition: Condition) -> dict[str, Any]:
    ((key, value),) = condition.items()
    if key in {"$and", "$or"}:
        return {key[1:].replace("$", ""): [_json_logic(part) for part in value]}
    sign = {"$gte": ">=", "$gt": ">", "$lte": "<=", "$lt": "<", "$neq": "!=="}.get(key, "===")
    name, bound = next(iter(value.items())) if key in COMPARE else (key, value)
    return {sign: [{"var": name}, bound]}
