"""The SMTP server: listens, and on stopping finishes the mails in flight before it hangs up.

The library's log is switched off (`shared.runtime.process`), since it writes addresses.
"""

import asyncio
import contextlib

from services.ingest.smtp.admission import Admission
from services.ingest.smtp.commands import CaptureSession

_BACKLOG = 1024
_DRAIN_SECONDS = 7.5
"""More than the broker has to confirm a mail (PUBLISH_DEADLINE)."""
_GOODBYE_SECONDS = 0.5


class SmtpServer:
    """Listens, and on stopping finishes the mails in flight before it hangs up."""

    def __init__(self, admission: Admission, *, host: str, port: int, name: str) -> None:
        """Announce `name`."""
        self._admission, self._address, self._name = admission, (host, port), name
        self.listening = False

    async def run(self) -> None:
        """Serve until `stop`."""
        admission, loop = self._admission, asyncio.get_running_loop()
        server = await loop.create_server(self._session, *self._address, backlog=_BACKLOG)
        self.listening = True
        await admission.stopping.wait()
        self.listening = False
        server.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(admission.in_flight.idle.wait(), _DRAIN_SECONDS)
        clients = admission.limiter.clients()
        for client in clients:
            client.dismiss("421 4.3.2 the service is stopping, try again")
        await asyncio.sleep(_GOODBYE_SECONDS if clients else 0)
        for client in clients:
            client.hang_up()

    def stop(self) -> None:
        """Accept no new sessions, and finish the mails in flight."""
        self._admission.stopping.set()

    def _session(self) -> CaptureSession:
        return CaptureSession(self._admission, hostname=self._name, loop=asyncio.get_running_loop())
