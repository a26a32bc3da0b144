"""Wrong settings of ingest are said in one line."""

import pytest
from pydantic import ValidationError

from services.ingest.settings import IngestSettings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"smtp_tls_cert_file": "/nowhere"}, "needed together"),
        ({"smtp_require_tls": True}, "needs SMTP_TLS_CERT_FILE"),
        ({"smtp_tls_cert_file": "/nowhere", "smtp_tls_key_file": "/nowhere"}, "No such file"),
        ({"smtp_proxy_networks": "10.0.0.0/8, x"}, "SMTP_PROXY_NETWORKS"),
        ({"max_bytes_in_flight": 1}, "must not be less"),
    ],
)
def test_wrong_settings_are_one_line(settings: dict[str, object], message: str) -> None:
    needed = {"token_secret": "t" * 32, "capture_keys": "k1:" + "s" * 20}
    with pytest.raises(ValidationError, match=message) as raised:
        IngestSettings.model_validate(needed | settings)
    assert "\n" not in raised.value.errors()[0]["msg"]
