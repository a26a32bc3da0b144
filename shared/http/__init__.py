"""HTTP as every service serves it: tokens, problems, limits on connections and bodies.

No request reaches a route without a valid token, an unbounded body is never read, and every error
is a problem (RFC 9457). `web.py` makes an application; `server.py` serves it behind `guard.py`.
"""
