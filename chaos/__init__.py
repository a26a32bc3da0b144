"""The fault runs: mail is sent while things are broken on purpose, and then counted."""
