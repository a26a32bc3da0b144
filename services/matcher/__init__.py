"""matcher: owns the directory and decides whom a mail concerns."""
