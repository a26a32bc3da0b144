"""The timeline's HTTP API."""
