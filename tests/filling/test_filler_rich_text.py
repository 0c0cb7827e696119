"""Fields of the CRM that hold rich text, which is HTML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fill_office import MANAGER, FillOffice, fill_office, said

RICH = {"key": "rich", "object": "opportunity", "field": "rich__c", "patterns": ["(?s)rich: (.+)"]}


@pytest.fixture(params=["salesforce", "hubspot"])
def rich(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office whose opportunities have a field for rich text, which a template fills."""
    with fill_office(request.param, tmp_path) as at:
        assert at.at.sandbox is not None
        if request.param == "salesforce":
            field = {"object": "Opportunity", "name": "rich__c", "type": "textarea", "rich": True}
            at.at.sandbox.org({"custom_fields": [field]})
        else:
            at.at.sandbox.org({"properties": {"deals": [{"name": "rich__c", "fieldType": "html"}]}})
        at.publish(RICH)
        yield at


def test_rich_text_shows_as_it_was_said(rich: FillOffice) -> None:
    """The CRM takes it for HTML: line breaks and signs are written so."""
    rich.hear(said("rich: budget < 10 k\n<next> year"))

    assert rich.value("rich__c") == "budget &lt; 10 k<br>&lt;next&gt; year"


def test_rich_text_that_the_crm_writes_anew_stays_ours(rich: FillOffice) -> None:
    """A later call takes its place, though paragraphs and the names of characters are the CRM's."""
    rich.hear(said("rich: it's\nsoon"))
    rich.edit("<p>it&#39;s</p><p>soon</p>", "rich__c")
    rich.hear(said("rich: later", 2))

    assert rich.value("rich__c") == "later"


def test_rich_text_that_somebody_formatted_stays(rich: FillOffice) -> None:
    """Formatting is an edit like any other."""
    rich.hear(said("rich: soon"))
    rich.edit("<p><b>soon</b></p>", "rich__c")
    rich.hear(said("rich: later", 2))

    assert (rich.outcome("x:2", "rich"), rich.value("rich__c")) == (
        ("other", "changed_by_person"),
        "<p><b>soon</b></p>",
    )


def test_rich_text_is_taken_back(rich: FillOffice) -> None:
    """What somebody had formatted stands there again, as it was."""
    rich.edit("<p><b>theirs</b></p>", "rich__c")
    rich.publish({**RICH, "overwrite": "always"})
    rich.hear(said("rich: it's\nsoon"))
    rich.desk.undo(MANAGER, rich.rows()[0].run or "")
    rich.filler.run()

    assert rich.value("rich__c") == "<p><b>theirs</b></p>"
