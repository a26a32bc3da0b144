"""Which Satchel this is: told by `--version`, `/metrics` and the OpenAPI documents."""

import platform

from prometheus_client import Gauge

from shared import VERSION

BUILD_INFO = Gauge(
    "satchel_build_info",
    "Always 1. Its labels say which version runs",
    ["version", "python_version"],
)
BUILD_INFO.labels(VERSION, platform.python_version()).set(1)
