"""The dependency audit of `make check`: no locked package has a known vulnerability.

* The registry that packages come from is asked (`<index>/../pypi/<name>/<version>/json`, as PyPI
  has it), once a day for one lock file. Where it does not answer, or has no such pages, one line
  says that the audit was skipped and why: a check neither fails nor waits for it.
* pip-audit does the same and more; it needs a service of its own, which a mirror of the registry
  lacks, and fails where that does not answer (decision 24).
* `audit.toml` names vulnerabilities that do not concern us: `[[ignored]]` with `id`, `reason` and
  `until`, the day from which it fails again.
"""

import hashlib
import json
import os
import sys
import time
import tomllib
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DEFAULT_INDEX = "https://pypi.org/simple"
_SECONDS = 4.0
"""For all of it together."""
_CACHED_SECONDS = 24 * 3600.0

Package = tuple[str, str]
Finding = dict[str, Any]


class Skipped(Exception):
    """The registry did not tell; the message says why."""


def locked(lock: Path) -> list[Package]:
    """Return name and version of every locked package that comes from a registry."""
    packages = tomllib.loads(lock.read_text())["package"]
    return sorted((p["name"], p["version"]) for p in packages if "registry" in p["source"])


def audit(packages: list[Package], index: str) -> list[Finding]:
    """Return the known vulnerabilities: `{package, version, id, aliases, fixed_in}`.

    Raises Skipped unless the registry told about every package in time.
    """
    deadline = time.monotonic() + _SECONDS
    base = index.rstrip("/").removesuffix("/simple")

    def ask(package: Package) -> list[Finding]:
        name, version = package
        left = deadline - time.monotonic()
        if left <= 0:
            raise Skipped(f"the registry was not done after {_SECONDS:.0f} seconds")
        try:
            url = f"{base}/pypi/{name}/{version}/json"
            with urllib.request.urlopen(url, timeout=left) as answer:
                known = json.load(answer)["vulnerabilities"]
        except urllib.error.HTTPError as error:
            raise Skipped(f"the registry answers {error.code} about {name} {version}") from error
        except (OSError, ValueError, KeyError) as error:
            raise Skipped(f"the registry does not answer ({type(error).__name__})") from error
        return [
            {"package": name, "version": version, **{k: v.get(k) for k in _TOLD}}
            for v in known
            if not v.get("withdrawn")
        ]

    found = ask(packages[0])  # where one has no answer, none is asked for the others
    pool = ThreadPoolExecutor(16)
    try:
        return found + [finding for about in pool.map(ask, packages[1:]) for finding in about]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


_TOLD = ("id", "aliases", "fixed_in")


def not_ignored(findings: list[Finding], ignored: list[dict[str, Any]], today: date) -> list[str]:
    """Return a line for each finding without a valid reason to ignore it."""
    lines = []
    for finding in findings:
        names = {finding["id"], *(finding["aliases"] or ())}
        entry = next((e for e in ignored if e["id"] in names), None)
        if entry is not None and today < entry["until"] and entry["reason"]:
            continue
        fixed = ", ".join(finding["fixed_in"] or ()) or "no version yet"
        known = ", ".join(sorted(names))
        ended = f"; was ignored until {entry['until']}" if entry is not None else ""
        lines.append(f"{finding['package']} {finding['version']}: {known}; fixed in {fixed}{ended}")
    return lines


def remembered(lock: Path, index: str, cache: Path) -> list[Finding]:
    """Return what the registry said today about this lock file; ask it when it was not asked."""
    key = hashlib.sha256(lock.read_bytes() + index.encode()).hexdigest()
    try:
        kept = json.loads(cache.read_text())
        if kept["key"] == key and 0 <= time.time() - kept["at"] < _CACHED_SECONDS:
            return list(kept["findings"])
    except (OSError, ValueError, KeyError):
        pass  # never asked, or by another version of this
    findings = audit(locked(lock), index)
    cache.parent.mkdir(exist_ok=True)
    cache.write_text(json.dumps({"key": key, "at": time.time(), "findings": findings}))
    return findings


def main(root: Path = ROOT) -> int:
    """Audit; return 1 when something vulnerable is locked."""
    names = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
    index = next(filter(None, map(os.environ.get, names)), DEFAULT_INDEX)
    listed = root / "audit.toml"
    ignored = tomllib.loads(listed.read_text())["ignored"] if listed.exists() else []
    try:
        findings = remembered(root / "uv.lock", index, root / ".satchel" / "audit.json")
    except Skipped as reason:
        print(f"audit skipped: {reason}")
        return 0
    lines = not_ignored(findings, ignored, datetime.now(UTC).date())
    print("\n".join(lines) or "no known vulnerability")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
