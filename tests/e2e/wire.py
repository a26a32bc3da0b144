"""A TCP port that leads to another one: opened late, silent for a while, cut before an answer."""

import contextlib
import socket
import threading

from dev.ports import free_port


class Wire:
    """Closed at first: nothing listens."""

    def __init__(self, target: int) -> None:
        """Lead to that port of this machine."""
        self.port, self._target = free_port(), target
        self._listener: socket.socket | None = None
        self.swallow = b""
        """An answer that begins with this never arrives: the connection is cut instead."""
        self.swallowed = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._ends: list[socket.socket] = []

    def open(self) -> None:
        """Listen."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def freeze(self) -> None:
        """Let nothing through: connections stay, and are silent."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Let through what came meanwhile, and what comes."""
        self._flowing.set()

    def close(self) -> None:
        """Listen no more. What came through stays."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def cut(self) -> None:
        """Listen no more, and end what came through."""
        self.close()
        while self._ends:
            with contextlib.suppress(OSError):
                self._ends.pop().shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                host = socket.create_connection(("127.0.0.1", self._target))
                self._ends += (client, host)
                for source, sink, guarded in ((client, host, False), (host, client, True)):
                    pump = threading.Thread(
                        target=self._pump, args=(source, sink, guarded), daemon=True
                    )
                    pump.start()

    def _pump(self, source: socket.socket, sink: socket.socket, guarded: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(64 * 1024):
                self._flowing.wait()
                if guarded and self.swallow and data.startswith(self.swallow):
                    self.swallowed += 1
                    break
                sink.sendall(data)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()  # the other one is the other pump's to close
