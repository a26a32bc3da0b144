"""What `--help` and the settings page say of a setting."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, StringConstraints

from shared.runtime.settings_help import default_of, is_secret, settings_help, type_of


class Example(BaseModel):
    """Settings of each type."""

    port: int = Field(25, ge=1, le=65535, description="Port.")
    size: int = Field(10, gt=0, description="Size.")
    count: int = Field(0, ge=0, description="Count.")
    rate: float = Field(2.0, lt=5, description="Rate.")
    share: float = Field(0.5, gt=0, le=1, description="Share.")
    tls: bool = Field(True, description="TLS.")
    file: Path | None = Field(None, description="File.")
    url: str = Field("amqp://a", repr=False, description="URL.")
    key: SecretStr = Field(description="Key.")
    former_key: SecretStr | None = Field(None, description="Former key.")
    name: Annotated[str, StringConstraints(min_length=1)] = Field("x", description="Name.")
    empty: str = Field("", description="Empty.")


FIELDS = Example.model_fields


def test_each_setting_has_a_type_and_its_bounds() -> None:
    assert {name: type_of(field) for name, field in FIELDS.items()} == {
        "port": "integer, 1 to 65535",
        "size": "integer, above 0",
        "count": "integer, at least 0",
        "rate": "number, below 5",
        "share": "number, above 0, at most 1",
        "tls": "true or false",
        "file": "path",
        "url": "text",
        "key": "text",
        "former_key": "text",
        "name": "text",
        "empty": "text",
    }


def test_passwords_keys_and_urls_that_may_hold_one_are_secrets() -> None:
    assert [name for name, field in FIELDS.items() if is_secret(field)] == [
        "url",
        "key",
        "former_key",
    ]


def test_a_default_is_shown_as_it_would_be_written() -> None:
    shown = {name: default_of(field) for name, field in FIELDS.items()}
    assert shown["port"] == "default: 25"
    assert shown["tls"] == "default: true"
    assert shown["key"] == "required"
    assert shown["file"] == shown["empty"] == shown["former_key"] == ""


def test_help_has_a_paragraph_for_each_setting() -> None:
    paragraphs = settings_help(FIELDS).split("\n\n")
    assert paragraphs[0] == "  PORT  (integer, 1 to 65535; default: 25)\n      Port."
    assert "  FORMER_KEY  (text; secret)\n      Former key." in paragraphs
    assert len(paragraphs) == len(FIELDS)
