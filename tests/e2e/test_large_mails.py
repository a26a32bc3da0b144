"""Ten of the largest mails at once: each is shown, and no service needs memory for all of them."""

import threading

from dev.stack import Stack
from tests.e2e.account import Account
from tests.memory import forget_peak, peak

SERVICES = ("ingest", "matcher", "timeline")
MAILS, MEGABYTES = 10, 30
MOST = 800
"""MiB that any process may have had. Ten such mails alone are 300, and each is read in pieces and
copies of itself: the bound is on how many are in flight, which no number of them changes."""


def test_ten_of_30_mib_at_once_leave_every_service_small(stack: Stack, measured: list[str]) -> None:
    account = Account(stack)
    lines = b"".join(b"%076d\r\n" % n for n in range(1000))
    filler = lines * ((MEGABYTES << 20) // len(lines) - 1)

    def send(number: int) -> None:
        header = (
            f"From: {'cand@mail.example' if number % 2 else 'user@team.example'}\r\n"
            f"To: cand@work.example\r\nMessage-ID: <{number}@large>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee attached.\r\n"
            "--b\r\nContent-Type: application/octet-stream; name=large.bin\r\n\r\n"
        ).encode()
        client = account.client_for("u1", replica=number % 2)
        raw = header + filler + b"\r\n--b--\r\n"
        client.send("sender@x.example", [account.capture], raw)

    for service in SERVICES:
        for replica in stack.of(service):
            forget_peak(replica.process.pid)
    threads = [threading.Thread(target=send, args=(number,)) for number in range(MAILS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert account.outcome(MAILS) == {"attached": MAILS}
    mails = account.client.timeline("c1")
    assert [mail["attachments"][0]["size"] > len(filler) - 3 for mail in mails] == [True] * MAILS
    account.await_no_claims()
    peaks = {
        service: max(peak(replica.process.pid) for replica in stack.of(service))
        for service in SERVICES
    }
    told = ", ".join(f"{service} {mib:.0f} MiB" for service, mib in peaks.items())
    measured.append(f"ten mails of 30 MiB at once over two replicas, peak memory: {told}")
    assert all(mib < MOST for mib in peaks.values()), told
