"""`make monitor`: the demo with a Prometheus beside it, which goes on until Ctrl-C.

The dashboard's and the alerts' expressions can be tried on its page (where the pages of alerts and
targets are, differs between Debian's Prometheus and others); its alerts are those of a
cluster, of which two fire here after a while: this broker is one node, not three.
"""

import signal
import sys
import tempfile
from pathlib import Path

from dev.demo import play
from dev.install import ensure_prometheus
from dev.prometheus import PrivatePrometheus, targets
from dev.stack import Stack, own_databases
from dev.terminal import command, say


def monitor() -> int:
    """Play the demo, watched, and wait; return what the demo returns when it went wrong."""
    ensure_prometheus()
    with (
        tempfile.TemporaryDirectory(prefix="satchel-monitor-") as folder,
        Stack(Path(folder, "stack"), environment=own_databases(), metrics=True, say=say) as stack,
        PrivatePrometheus(Path(folder, "prometheus"), targets(stack)) as prometheus,
    ):
        if code := play(stack):
            return code
        sys.stdout.write(
            f"""
Prometheus  {prometheus.url}/, whose menu leads to alerts and targets
dashboard   deploy/k8s/monitoring/dashboard.json, for a Grafana that asks this Prometheus

Ctrl-C stops everything.
"""
        )
        sys.stdout.flush()
        try:
            signal.pause()
        except KeyboardInterrupt:
            say("stopping")
    return 0


if __name__ == "__main__":
    sys.exit(command("make monitor", monitor))
