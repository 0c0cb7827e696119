"""Commands that work for long look for cycles rarely, and leave the collector as it was."""

from __future__ import annotations

import gc

from connector_core.cli.collector import rare_collections


def test_what_is_there_is_not_looked_at_and_the_rest_less_often() -> None:
    """Until the command ends; then all is as before."""
    before = gc.get_threshold()

    with rare_collections():
        meanwhile = gc.get_threshold()[0], gc.get_freeze_count()

    assert meanwhile[0] > before[0]
    assert meanwhile[1] > 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, 0)


def test_a_cycle_of_a_command_is_collected() -> None:
    """What is made meanwhile is looked at as ever."""
    with rare_collections():
        ring: list[object] = []
        ring.append(ring)
        del ring
        assert gc.collect() > 0
