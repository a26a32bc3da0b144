"""HTTP to this machine. Nothing is encrypted here, so no authority's certificates are loaded.

To load them takes 20 ms of a processor for each client and each single `httpx.get`: as much as a
whole request, of which a start asks for dozens.
"""

import ssl

import httpx

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificate: a client that is sent to https fails."""


def get(url: str, timeout: float = 10.0) -> httpx.Response:
    """Return the answer to one request. Raises httpx.HTTPError."""
    return httpx.get(url, timeout=timeout, trust_env=False, verify=NO_TLS)
