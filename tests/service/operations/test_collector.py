"""What is loaded is out of the collector's sight while something runs, and nothing of that is left behind."""

from __future__ import annotations

import gc

import pytest

from tariff_service.collector import settled


def test_a_run_leaves_the_collector_as_it_was() -> None:
    gc.unfreeze()
    before = gc.get_threshold()

    def failing() -> None:
        with settled():
            assert gc.get_freeze_count()
            assert gc.get_threshold() != before
            with settled():
                pass
            assert gc.get_freeze_count()  # the one inside is not the one that ends it
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        failing()
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)
