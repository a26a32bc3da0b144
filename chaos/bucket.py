"""A bucket of S3, as far as the services use one: a process that can be stopped and frozen.

`python -m chaos.bucket PORT FOLDER`. Objects are files in the folder; clients do not sign in. Never
shipped: it does not care about durability.
"""

import re
import sys
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

NAME = "mail"


def settings(port: int) -> dict[str, str]:
    """Return what makes a service use the bucket at that port."""
    return {
        "BLOB_URL": f"s3://{NAME}/",
        "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "anybody",
        "AWS_SECRET_ACCESS_KEY": "anything",
        "AWS_REGION": "here",
    }


class _Requests(BaseHTTPRequestHandler):
    """PUT below 5 MiB, GET (whole, or a range), DeleteObjects and ListObjectsV2."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_PUT(self) -> None:
        """Store an object."""
        new = self._file.with_suffix(".new")
        new.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
        new.rename(self._file)
        self._answer(200)

    def do_GET(self) -> None:
        """Return an object, or the list."""
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self._answer(200, self._list(query.get("prefix", [""])[0]).encode())
            return
        try:
            data = self._file.read_bytes()
        except FileNotFoundError:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        span = self.headers.get("Range")
        if span is None:
            self._answer(200, data)
            return
        first, last = (int(place) for place in span.removeprefix("bytes=").split("-"))
        part = data[first : last + 1]
        self._answer(206, part, f"bytes {first}-{first + len(part) - 1}/{len(data)}")

    def do_POST(self) -> None:
        """Remove objects (DeleteObjects)."""
        wanted = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", wanted)
        for key in keys:
            self._file_of(f"/{NAME}/{key}").unlink(missing_ok=True)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def _file(self) -> Path:
        return self._file_of(unquote(urlsplit(self.path).path))

    def _file_of(self, path: str) -> Path:
        return self.folder / quote(path, safe="")

    def _list(self, prefix: str) -> str:
        start = f"/{NAME}/"
        objects = {unquote(file.name).removeprefix(start): file for file in self.folder.iterdir()}
        entries = "".join(
            f"<Contents><Key>{key}</Key><Size>{file.stat().st_size}</Size><LastModified>"
            f"{datetime.fromtimestamp(file.stat().st_mtime, UTC):%Y-%m-%dT%H:%M:%S.000Z}"
            "</LastModified></Contents>"
            for key, file in sorted(objects.items())
            if key.startswith(prefix)
        )
        return (
            f"<ListBucketResult><Name>{NAME}</Name><IsTruncated>false</IsTruncated>"
            f"{entries}</ListBucketResult>"
        )

    def _answer(self, status: int, body: bytes = b"", span: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"none"')
        self.send_header("Last-Modified", self.date_time_string())
        if span:
            self.send_header("Content-Range", span)
        self.end_headers()
        self.wfile.write(body)


def main(port: int, folder: Path) -> None:
    """Serve until it is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    _Requests.folder = folder
    ThreadingHTTPServer(("127.0.0.1", port), _Requests).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
