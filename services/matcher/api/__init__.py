"""The matcher's HTTP API."""
