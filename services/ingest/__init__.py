"""ingest: takes responsibility for mail, and nothing else."""
