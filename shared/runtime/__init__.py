"""What every service runs on: settings, the process, readiness, metrics, traces, the mail relay.

Nothing here knows mail. A service starts whatever is missing and says what it waits for
(`dependencies.py`), and ends within its grace period (`process.py`).
"""
