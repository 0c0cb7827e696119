"""The fidelity report stands in the documentation as it is."""

from __future__ import annotations

import pytest

from tests.fidelity.__main__ import PAGE, SERVICES, table
from tests.fidelity.compare import Comparison, told
from tests.fidelity.replay import RECORDED, Service, replay


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded traffic is not beside this checkout")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: str(service.name))
def test_the_page_has_the_report(service: Service) -> None:
    """Each table of the page is what a replay finds now; ``python -m tests.fidelity --write`` puts it there."""
    assert "\n".join(table(replay(service))) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("recorded", "ours", "differences"),
    [
        ({"id": "1", "a": "x"}, {"id": "7", "a": "x"}, []),
        ({"at": "2024-10-20T19:50:45.54Z"}, {"at": "2026-01-01T00:00:00Z"}, []),
        ({"at": "2024-10-20T19:50:45Z"}, {"at": "2026-01-01"}, ["another value in at"]),
        ({"a": "x", "b": None}, {"a": 1, "c": None}, ["lacks b", "adds c", "number for text in a"]),
        ({"rows": [{"name": "a"}, {"name": "b"}]}, {"rows": [{"name": "b"}]}, ["lacks row a in rows[]"]),
        ([{"x": 1, "y": 1}, {"x": 2, "y": 2}], [{"x": 2, "y": 2}, {"x": 1, "y": 3}], ["another value in [].y"]),
        ({"message": "no 12 here", "id": "12"}, {"id": "70", "message": "no 12 here"}, []),
    ],
)
def test_what_differs_is_told(recorded: object, ours: object, differences: list[str]) -> None:
    """Ids and instants differ between any two answers; names, types and values do not."""
    assert told(list(Comparison({}).differences(recorded, ours))) == differences


def test_an_id_that_was_learnt_is_wanted_everywhere() -> None:
    """What was one record stays one record, also within a sentence."""
    comparison = Comparison({"1234": "70"})
    found = comparison.differences({"id": "1234", "message": "CONTACT=1234"}, {"id": "70", "message": "CONTACT=71"})
    assert told(list(found)) == ["another value in message"]
