"""For operators: backup and restore (`docs/backup.md` says how, and why in this order).

They need nothing but the URLs that the services have, so they work with any broker, any MongoDB and
any blob store, and restore into another version, or another number of nodes, than they copied from.
"""
