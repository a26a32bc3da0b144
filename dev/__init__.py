"""Development only: starts real servers and the services on one machine. Never shipped."""
