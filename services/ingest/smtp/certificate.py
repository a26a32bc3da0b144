"""The STARTTLS certificate, reloaded when its files change, because cert-manager renews them."""

import ssl
from pathlib import Path

import structlog
from cryptography.x509 import load_pem_x509_certificate

from services.ingest.metrics import CERTIFICATE_EXPIRES

log = structlog.get_logger()

_Stamp = tuple[tuple[int, int, int], ...]


class Certificate:
    """A certificate chain and its key, in PEM files. TLS 1.2 or newer."""

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        """Read them; raise ValueError, in one line, when they cannot be used."""
        self._files = (cert_file, key_file)
        self._stamp = self._changed_at()
        self._context, self._expires = self._load()
        CERTIFICATE_EXPIRES.set_function(lambda: self.expires)

    @property
    def expires(self) -> float:
        """When the certificate in use expires, as a Unix time."""
        self._look()
        return self._expires

    @property
    def context(self) -> ssl.SSLContext:
        """The TLS context. While the files cannot be used it stays the last usable one."""
        self._look()
        return self._context

    def _look(self) -> None:
        """Read the files again when they have changed."""
        try:
            stamp = self._changed_at()
            if stamp != self._stamp:
                self._stamp = stamp
                self._context, self._expires = self._load()
                log.info("certificate reloaded")
        except ValueError as error:
            log.error("certificate not reloaded", why=str(error))

    def _changed_at(self) -> _Stamp:
        try:
            stats = [file.stat() for file in self._files]
        except OSError as error:
            raise ValueError(f"{error.filename}: {error.strerror}") from error
        return tuple((stat.st_mtime_ns, stat.st_ino, stat.st_size) for stat in stats)

    def _load(self) -> tuple[ssl.SSLContext, float]:
        """Return what a handshake needs, and when it is of no use any more."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        cert_file, key_file = self._files
        try:  # with a password, so that the key's is never asked for at a terminal
            context.load_cert_chain(cert_file, key_file, password="")
        except (ssl.SSLError, OSError) as error:
            for file in self._files:
                try:
                    file.read_bytes()
                except OSError as unreadable:
                    raise ValueError(f"{file}: {unreadable.strerror}") from error
            raise ValueError(
                f"{cert_file} and {key_file} are not a certificate and its key, without a"
                " password, in PEM"
            ) from error
        try:
            own = load_pem_x509_certificate(cert_file.read_bytes())  # the first of the chain
        except OSError as error:  # replaced in this very moment
            raise ValueError(f"{cert_file}: {error.strerror}") from error
        return context, own.not_valid_after_utc.timestamp()
