"""Those who read pages and keep the directory, all the time, a new connection each time."""

import contextlib
import threading
from collections.abc import Callable

import httpx

from dev.client import Client

_PAUSE_SECONDS = 0.1


class Visitors:
    """One reads the inbox, one writes and reads a person, from `start` to `stop`."""

    def __init__(self, client: Callable[[], Client]) -> None:
        """`client` makes one, with connections of its own."""
        self._client = client
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._visit, args=(what,), daemon=True)
            for what in (self._read_inbox, self._keep_directory)
        ]
        self.served = 0
        self.failed: list[str] = []

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Come no more."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _visit(self, ask: Callable[[Client], object]) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            with contextlib.closing(self._client()) as client:
                try:
                    ask(client)
                except (httpx.HTTPError, RuntimeError) as error:
                    self.failed.append(f"{type(error).__name__}: {error}")
                else:
                    self.served += 1

    def _read_inbox(self, client: Client) -> None:
        client.json("GET", "timeline", "/v1/inbox", params={"limit": 5})

    def _keep_directory(self, client: Client) -> None:
        client.put_person("guest", "guest", "Guest", ["guest@mail.example"])
        client.json("GET", "matcher", "/v1/people/guest")
