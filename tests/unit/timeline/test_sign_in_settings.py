"""How readers of the pages sign in, from the settings."""

import pytest
from pydantic import ValidationError

from services.timeline.settings import TimelineSettings
from services.timeline.sign_in import origin_of

SECRET = "s" * 64


def settings(**given: str) -> TimelineSettings:
    return TimelineSettings.model_validate({"token_secret": SECRET, **given})


def test_without_a_client_readers_come_with_a_token() -> None:
    assert settings().sign_in is None


def test_the_pages_are_told_all_but_where_they_may_send_requests_to() -> None:
    found = settings(
        token_issuer="https://id.example/tenant",
        sign_in_client_id="pages",
        sign_in_origins="https://tokens.example, ",
        token_account_claim="org",
    ).sign_in
    assert found is not None
    assert found.origins == ("https://id.example", "https://tokens.example")
    assert found.shown() == {
        "issuer": "https://id.example/tenant",
        "client_id": "pages",
        "scope": "openid timeline:read timeline:write",
        "resource": None,
        "claims": {"account": "org", "person": "sub", "scope": "scope"},
    }


def test_a_client_needs_an_issuer_that_is_a_url() -> None:
    with pytest.raises(ValidationError, match="TOKEN_ISSUER"):
        settings(sign_in_client_id="pages")


def test_an_origin_has_no_path() -> None:
    assert origin_of("https://id.example:8443/a/b?c") == "https://id.example:8443"
