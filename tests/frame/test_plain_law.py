"""Nothing is lost between the strict types that read the law on fees and small shipments and the plain ones that the engine applies."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from tariff_engine import deminimis_rules, fee_rules
from tariff_engine.deminimis_law import DeMinimis
from tariff_engine.fee_law import Fees
from tariff_engine.notation.yaml_reader import read_document
from tariff_engine.strict_form import parse_model, plain

RULES = Path(__file__).parents[2] / "rules" / "tariff_rules"
Model = type[BaseModel]


def _inside(annotation: Any) -> Iterator[Model]:
    """Models that a type names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _inside(argument)


def _models(*roots: Model) -> list[Model]:
    """Every model that a value of the roots can hold."""
    found: dict[Model, None] = {}
    waiting = list(roots)
    while waiting:
        model = waiting.pop()
        if model not in found:
            found[model] = None
            waiting += [inner for field in model.model_fields.values() for inner in _inside(field.annotation)]
    return sorted(found, key=lambda model: model.__name__)


MODELS = _models(fee_rules.FeeRules, fee_rules.MpfYear, deminimis_rules.DeMinimis)


def test_the_walk_meets_the_models_at_every_depth() -> None:
    names = {model.__name__ for model in MODELS}
    assert {"Instrument", "NotPrefixes", "NotModes", "NotOrigins", "Bracket", "Assume", "Otherwise", "DatedRate", "MpfYear"} <= names


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_plain_form_of_a_model_has_its_fields_and_no_other(model: Model) -> None:
    form = deminimis_rules.FORMS[model.__name__]
    assert {field.name for field in dataclasses.fields(form)} == set(model.model_fields)


@pytest.mark.parametrize("model", [model for model in MODELS if model.__name__ != "Instrument"], ids=lambda model: model.__name__)
def test_the_plain_form_of_a_model_of_this_law_is_frozen_slotted_and_gives_no_default(model: Model) -> None:
    """A default would let a field that was forgotten pass for one that is not stated."""
    form = deminimis_rules.FORMS[model.__name__]
    fields = dataclasses.fields(form)
    assert all(field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING for field in fields)
    assert form.__dataclass_params__.frozen
    assert "__dict__" not in dir(form)


def _same(strict: Any, law: Any) -> int:
    """Count the values that are equal on both sides; fail on the first that is not."""
    if isinstance(strict, BaseModel):
        assert type(law).__module__ in {"tariff_engine.fee_law", "tariff_engine.deminimis_law", "tariff_engine.law"}
        return sum(_same(getattr(strict, name), getattr(law, name)) for name in type(strict).model_fields)
    if isinstance(strict, list | tuple):
        assert isinstance(law, tuple)
        return sum(_same(one, other) for one, other in zip(strict, law, strict=True))
    if isinstance(strict, dict):
        assert list(strict) == list(law)
        return sum(_same(value, law[key]) for key, value in strict.items())
    assert type(strict) is type(law)
    assert strict == law
    return 1


def test_every_value_of_the_fee_files_arrives(fee_tree: Any, mpf_rows: list[dict[str, str]], fees: Fees) -> None:
    assert _same(parse_model(fee_rules.FeeRules, fee_tree, "fees.yaml"), fees.rules) > 500
    assert _same(fee_rules.read_years(mpf_rows), fees.years) > 100


def test_every_value_of_the_decision_table_arrives(de_minimis: DeMinimis) -> None:
    tree = read_document("de_minimis.yaml", (RULES / "de_minimis.yaml").read_text(encoding="utf-8")).value
    assert _same(parse_model(deminimis_rules.DeMinimis, tree, "de_minimis.yaml"), de_minimis) > 500


def test_the_fiscal_years_are_read_in_the_order_of_their_days(fees: Fees) -> None:
    with (RULES / "mpf.csv").open(encoding="utf-8", newline="") as file:
        backwards = list(csv.DictReader(file))[::-1]
    assert plain(fee_rules.read_years(backwards), fee_rules.FORMS) == fees.years


class Assume(BaseModel):
    """A model that has lost a field of the plain form of its name."""

    fact: str
    taken: str


class Question(BaseModel):
    """A model that has gained a field over the plain form of its name."""

    fact: str
    matters: str
    tone: str


class Stranger(BaseModel):
    """A model without a plain form."""


@pytest.mark.parametrize(
    ("model", "error"),
    [
        (Assume(fact="mode", taken="ocean"), TypeError),
        (Question(fact="mode", matters="a fee", tone="kind"), TypeError),
        (Stranger(), KeyError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_model_and_a_plain_form_that_differ_are_an_error(model: BaseModel, error: type[Exception]) -> None:
    with pytest.raises(error):
        plain([model], fee_rules.FORMS)
