"""timeline: stores what is shown, and serves it."""
