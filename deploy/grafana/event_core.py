"""The dashboard of the event core: is what was decided said, is what was said applied, and what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.common import VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DataSourceRef

_DATASOURCE = DataSourceRef(type_val="prometheus", uid="${prometheus}")
WINDOW = "1m"
"""Over which rates and quantiles are taken."""


@dataclass(frozen=True, slots=True)
class Curves:
    """One panel: what it asks, in which unit, and what to read from it."""

    title: str
    says: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    """Pairs of PromQL and legend."""


def _quantiles(metric: str, by: str) -> tuple[tuple[str, str], ...]:
    legend = " ".join(f"{{{{{label}}}}}" for label in by.split(", "))
    return tuple(
        (f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket[{WINDOW}])))", f"{legend} p{round(q * 100)}")
        for q in (0.5, 0.99)
    )


ROWS: Sequence[tuple[str, Sequence[Curves]]] = (
    (
        "Said",
        (
            Curves(
                "Oldest event not published",
                "How long something decided has been unheard. Flat near zero is health; a ramp, a broker out of reach.",
                "s",
                (("stillwater_outbox_oldest_age_seconds", "{{service}}"),),
            ),
            Curves(
                "Commit to acknowledgement",
                "From a decision's commit to the broker's word that it is kept.",
                "s",
                _quantiles("stillwater_outbox_publish_seconds", "service"),
            ),
            Curves("Events waiting", "Rows in the outboxes.", "short", (("stillwater_outbox_rows", "{{service}}"),)),
        ),
    ),
    (
        "Applied",
        (
            Curves(
                "Events applied",
                "By outcome. Repeats are normal after a restart; failures are parked.",
                "ops",
                (
                    (
                        f"sum by (service, outcome) (rate(stillwater_events_applied_total[{WINDOW}]))",
                        "{{service}} {{outcome}}",
                    ),
                ),
            ),
            Curves(
                "Behind",
                "Age of the oldest record that a consumer has read and not finished.",
                "s",
                (("stillwater_consumer_lag_seconds", "{{service}} {{consumer}}"),),
            ),
            Curves(
                "Not read yet",
                "Records between what was read and the end of the topics.",
                "short",
                (("stillwater_consumer_lag_records", "{{service}} {{consumer}}"),),
            ),
            Curves(
                "Since the last progress",
                "A consumer that finishes nothing and finds nothing to do is stuck.",
                "s",
                (("time() - stillwater_consumer_last_progress_timestamp_seconds", "{{service}} {{consumer}}"),),
            ),
        ),
    ),
    (
        "Waiting",
        (
            Curves(
                "Oldest parked record",
                "A patient's events from one stream stand still for so long.",
                "s",
                (("stillwater_parked_oldest_age_seconds", "{{service}}"),),
            ),
            Curves("Parked records", "By reason.", "short", (("stillwater_parked_records", "{{service}} {{reason}}"),)),
            Curves(
                "Latest timer",
                "How late the timer is that is due longest, in clinic time.",
                "s",
                (("stillwater_timers_overdue_seconds", "{{service}}"),),
            ),
        ),
    ),
    (
        "Outside",
        (
            Curves(
                "Calls",
                "To payers, the mail server and the carrier, by what came of them.",
                "ops",
                (
                    (
                        f"sum by (destination, outcome) (rate(stillwater_outside_attempts_total[{WINDOW}]))",
                        "{{destination}} {{outcome}}",
                    ),
                ),
            ),
            Curves(
                "Answer time",
                "How long the outside took.",
                "s",
                _quantiles("stillwater_outside_seconds", "destination"),
            ),
            Curves(
                "HTTP",
                "How long our own answers took, by service.",
                "s",
                _quantiles("stillwater_http_request_duration_seconds", "service"),
            ),
        ),
    ),
)


def queries() -> list[str]:
    """Every query of the dashboard."""
    return [query for _, panels in ROWS for panel in panels for query, _ in panel.queries]


def dashboard() -> Dashboard:
    board = (
        Dashboard("Stillwater: the event core")
        .uid("stillwater-event-core")
        .description("Is what was decided said, is what was said applied, and what waits.")
        .tags(["stillwater"])
        .refresh("10s")
        .time("now-30m", "now")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(DatasourceVariable("prometheus").label("Prometheus").type("prometheus"))
    )
    for title, panels in ROWS:
        board = board.with_row(Row(title))
        for panel in panels:
            board = board.with_panel(_panel(panel, 24 // len(panels)))
    return board


def _panel(curves: Curves, span: int) -> Panel:
    panel = (
        Panel()
        .title(curves.title)
        .description(curves.says)
        .datasource(_DATASOURCE)
        .unit(curves.unit)
        .min(0)
        .span(span)
        .height(8)
        .fill_opacity(8)
        .legend(
            VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM).show_legend(True)
        )
    )
    for query, legend in curves.queries:
        panel = panel.with_target(Dataquery().expr(query).legend_format(legend))
    return panel
