"""Questions that the dashboard asks of many metrics, as expressions by their legends."""


def percentiles(series: str) -> dict[str, str]:
    """Return the median and the 99th percentile of a histogram."""
    rate = f"sum by (le) (rate({series}_bucket{{IN}}[RATE]))"
    return {
        "p50": f"histogram_quantile(0.5, {rate})",
        "p99": f"histogram_quantile(0.99, {rate})",
    }


def slowest(series: str, labels: str, *, quantile: float = 0.99) -> dict[str, str]:
    """Return a percentile of a histogram by labels."""
    rate = f"sum by (le, {labels}) (rate({series}_bucket{{IN}}[RATE]))"
    return {legend(labels): f"histogram_quantile({quantile}, {rate})"}


def rates(series: str, labels: str) -> dict[str, str]:
    """Return how often something is counted in a second, by labels."""
    return {legend(labels): f"sum by ({labels}) (rate({series}{{IN}}[RATE]))"}


def most(series: str, label: str, chosen: str = "") -> dict[str, str]:
    """Return the highest of what replicas say, by a label; `chosen` are more matchers."""
    return {legend(label): f"max by ({label}) ({series}{{IN{chosen}}})"}


def legend(labels: str) -> str:
    """Return Grafana's placeholders for labels."""
    return " ".join(f"{{{{{label}}}}}" for label in labels.split(", "))
