"""A DNS server of one's own, for tests and the demo: it says what was put into `records`."""

import socket
import threading
from types import TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


class DnsServer:
    """Answers over UDP on a loopback port, from a thread; NXDOMAIN for what it does not know."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        """TXT records by name, in lower case."""
        self.mail_hosts: dict[str, list[str]] = {}
        """MX records by name, in lower case: `10 mx.mail.example.`"""
        self.silent = False
        """Whether nothing at all is answered."""
        self.ignored: set[str] = set()
        """Names that are not answered."""
        self.ignored_end = ""
        """Nor are names that end so."""
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
            stopper.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            wire, sender = self._socket.recvfrom(65_535)
            if not wire:
                return
            question = dns.message.from_wire(wire)
            name = str(question.question[0].name).rstrip(".").lower()
            self.asked.append(name)
            if not (self.silent or name in self.ignored or self._ends_ignored(name)):
                self._socket.sendto(self._answer(question, name).to_wire(), sender)

    def _ends_ignored(self, name: str) -> bool:
        return bool(self.ignored_end) and name.endswith(self.ignored_end)

    def _answer(self, question: dns.message.Message, name: str) -> dns.message.Message:
        answer = dns.message.make_response(question)
        answer.flags |= dns.flags.RA
        if name not in self.records and name not in self.mail_hosts and name:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        full, kind = question.question[0].name, question.question[0].rdtype
        if kind == dns.rdatatype.MX and (hosts := self.mail_hosts.get(name)):
            answer.answer.append(dns.rrset.from_text(full, 60, "IN", "MX", *hosts))
        for text in self.records.get(name, ()) if kind == dns.rdatatype.TXT else ():
            pieces = [text[start : start + 255] for start in range(0, len(text), 255)]
            quoted = " ".join(f'"{piece}"' for piece in pieces)
            answer.answer.append(dns.rrset.from_text(full, 60, "IN", "TXT", quoted))
        return answer
