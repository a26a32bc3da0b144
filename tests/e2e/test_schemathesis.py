"""The three APIs do what their OpenAPI documents say, for what schemathesis makes of these.

The examples are the same in every run. What is good must be taken, what is bad refused, and every
answer must be as described; that tokens and scopes are asked for is in `test_isolation.py`.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from dev.stack import SERVICES, Stack
from tests.e2e.account import Account
from tests.e2e.operations import ALL_SCOPES, EVENTS
