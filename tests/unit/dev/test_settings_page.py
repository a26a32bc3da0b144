"""The settings page."""

import pytest
from pydantic import Field

from dev.generate import SETTINGS
from dev.settings_page import FIRST, GROUPS, settings_page
from services.timeline.settings import TimelineSettings


def test_what_most_installations_set_is_in_a_group() -> None:
    assert set(FIRST) <= {name for group in GROUPS for name in group.names}


def test_a_setting_in_no_group_is_named() -> None:
    class Newer(TimelineSettings):
        new_setting: str = Field("", description="New.")

    with pytest.raises(ValueError, match="NEW_SETTING"):
        settings_page({**SETTINGS, "timeline": Newer})


def test_a_group_names_no_setting_that_is_gone() -> None:
    with pytest.raises(ValueError, match="INGEST_SMTP_PORT"):
        settings_page({"timeline": SETTINGS["timeline"], "matcher": SETTINGS["matcher"]})


def test_a_setting_with_another_default_in_another_service_has_a_row_for_each() -> None:
    rows = [row for row in settings_page(SETTINGS).splitlines() if row.startswith("| `PREFETCH`")]
    assert len(rows) == 2
    assert any("| matcher |" in row for row in rows)
    assert any("| timeline |" in row for row in rows)
