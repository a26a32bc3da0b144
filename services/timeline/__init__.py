"""timeline: owns what is shown."""
