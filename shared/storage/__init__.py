"""MongoDB and the blob store. An unavailable one raises an exception of its own.

A service that catches `DatabaseAway` or `BlobStoreAway` waits and tries again; nothing is lost.
"""
