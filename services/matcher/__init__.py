"""matcher: owns the directory, and decides which profiles a mail concerns."""
