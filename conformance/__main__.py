"""Checks a running installation: does it read and decide these mails rightly?

Each case has an account of its own, `conformance-...`, whose people are deleted afterwards. Exits
with 0 when all cases pass, 1 when some do not, 2 when the installation cannot be asked.
"""

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from conformance.case import CASES, Case, load
from conformance.installation import Installation, by_command
from conformance.run import run
from shared.runtime.mistake import Mistake

_SERVICES = ("ingest", "matcher", "timeline")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases that are named, or all."""
    given = _parser().parse_args(arguments)
    try:
        cases = _chosen(given.cases, given.case)
        if given.list:
            print("\n".join(case.name for case in cases))
            return 0
        return _run_all(cases, _installation(given))
    except Mistake as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("case", nargs="*", help="a case's name; all, if none is named")
    parser.add_argument("--cases", type=Path, default=CASES, help="a folder of other cases")
    parser.add_argument("--list", action="store_true", help="print the names of the cases")
    parser.add_argument("--origin", help="where all three services are, as behind their ingress")
    for service in _SERVICES:
        parser.add_argument(f"--{service}", help=f"where {service} is, if not at the origin")
    parser.add_argument("--smtp", metavar="HOST:PORT", help="send the mails by SMTP, not by HTTP")
    parser.add_argument(
        "--token-command",
        default="make -s token",
        help="prints a token for ACCOUNT, PERSON and SCOPE of its environment (%(default)s)",
    )
    parser.add_argument(
        "--patience", type=float, default=60, help="seconds to wait for a decision (%(default)s)"
    )
    parser.add_argument("--insecure", action="store_true", help="do not check certificates")
    return parser


def _chosen(folder: Path, names: Sequence[str]) -> list[Case]:
    known = sorted(found.parent.name for found in folder.glob("*/case.json"))
    if not known:
        raise Mistake(f"there is no case in {folder}")
    if unknown := set(names) - {*known}:
        raise Mistake(f"there is no case {', '.join(sorted(unknown))}; --list prints all")
    return [load(folder / name) for name in names or known]


def _installation(given: argparse.Namespace) -> Installation:
    origins = {name: getattr(given, name) or given.origin for name in _SERVICES}
    if missing := [name for name, origin in origins.items() if not origin]:
        raise Mistake(f"where is {missing[0]}? Give --origin or --{missing[0]}")
    host, _, port = (given.smtp or "").rpartition(":")
    if given.smtp and not (host and port.isdecimal()):
        raise Mistake("--smtp needs a host and a port, as in mx.example:25")
    return Installation(
        **{name: origin.rstrip("/") for name, origin in origins.items()},
        token=by_command(given.token_command),
        smtp=(host, int(port)) if given.smtp else None,
        patience=given.patience,
        verify=not given.insecure,
    )


def _run_all(cases: Sequence[Case], installation: Installation) -> int:
    account, failed = f"conformance-{secrets.token_hex(4)}", 0
    for number, case in enumerate(cases, 1):
        found = run(case, installation, f"{account}-{number}")
        failed += bool(found)
        print(f"{'FAILED' if found else 'ok':<7}{case.name}", flush=True)
        for line in found:
            print(f"       {line}", flush=True)
    print(f"{len(cases) - failed} of {len(cases)} cases passed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
