"""ingest: accepts mail over SMTP and HTTP, and does nothing else with it."""
