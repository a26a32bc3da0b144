"""Mail servers of the world outside, each a real Postfix: a relay, a provider of mailboxes."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from dev.generate import ROOT
from dev.install import Unavailable, ensure_postfix
from dev.ports import free_port, listens
from tests.deadline import eventually
from tests.postfix import PostfixProcess

_SERVICES = ROOT / "deploy" / "postfix" / "master.cf"


class MailServer(PostfixProcess):
    """A Postfix that takes mail from this machine alone, and delivers it by `routes`."""

    def __init__(
        self,
        name: str,
        *,
        routes: Mapping[str, str],
        forwards: Mapping[str, str] | None = None,
        mailboxes: str = "",
        **settings: str,
    ) -> None:
        """Be the mail server `name`.

        `routes` say by domain how mail goes on, as a transport of Postfix; `forwards`
        say where the mail of each mailbox under the domain `mailboxes` goes.
        """
        self._program = ensure_postfix()
        self.port, self.name = free_port(), name
        self._routes: Mapping[str, str] = routes
        self._forwards: Mapping[str, str] = {} if forwards is None else forwards
        self._mailboxes, self._settings = mailboxes, settings

    def __enter__(self) -> Self:
        # Its processes run as another user, who may not look into pytest's folders.
        self._folder = Path(tempfile.mkdtemp(prefix="satchel-mail-server-"))
        self._folder.chmod(0o755)
        for name in ("queue", "data"):
            (self._folder / name).mkdir()
        shutil.chown(self._folder / "data", "postfix")
        self.certificate, key = certificate_of_localhost(self._folder)
        for name, table in (("routes", self._routes), ("forwards", self._forwards)):
            lines = (f"{word} {value}\n" for word, value in table.items())
            (self._folder / name).write_text("".join(lines))
        settings = {
            "compatibility_level": "3.6",
            "myhostname": self.name,
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "virtual_alias_domains": self._mailboxes,
            "virtual_alias_maps": f"texthash:{self._folder}/forwards",
            "transport_maps": f"texthash:{self._folder}/routes",
            "default_transport": "error:5.1.2 there is no such domain",
            "smtpd_relay_restrictions": "permit_mynetworks, reject",
            "smtpd_tls_chain_files": f"{key}, {self.certificate}",
            "smtp_tls_security_level": "may",
            "maximal_queue_lifetime": "1d",
            "queue_directory": str(self._folder / "queue"),
            "data_directory": str(self._folder / "data"),
            "maillog_file": "/dev/stdout",
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            **self._settings,
        }
        (self._folder / "main.cf").write_text(
            "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        services = _SERVICES.read_text().splitlines()
        kept = [line for line in services if line.split()[:1] not in (["smtp"], ["smtpd"])]
        kept = [line for line in kept if not line.startswith(("dnsblog", "tlsproxy"))]
        kept += [
            f"127.0.0.1:{self.port} inet n - n - - smtpd",
            "smtp unix - - n - - smtp",
        ]
        (self._folder / "master.cf").write_text("\n".join(kept) + "\n")
        self._run(self._folder)
        if not eventually(lambda: listens(self.port) or not self._process.alive, 0.05):
            raise Unavailable(f"{self.name} does not listen:\n{self.log[-4000:]}")
        return self


def certificate_of_localhost(folder: Path) -> tuple[Path, Path]:
    """Write a certificate of this machine, and its key."""
    certificate, key = folder / "tls.crt", folder / "tls.key"
    told = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=x"
    named = ["-addext", "subjectAltName=IP:127.0.0.1"]
    places: list[str | Path] = ["-keyout", key, "-out", certificate]
    command = ["openssl", *told.split(), *named, *places]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key
