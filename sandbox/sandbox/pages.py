"""The sandbox's pages: Jinja2 templates, without script."""

from functools import cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

REFRESH_SECONDS = 5

# Mail is shown as it was sent: nothing in it may run, load or submit.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'; base-uri 'none'"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("sandbox"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(request: Request, template: str, **values: Any) -> HTMLResponse:
    """Render a template. `?refresh=0` holds the page still for whoever needs time to read."""
    live = request.query_params.get("refresh") != "0"
    here = request.url.path
    body = _templates().get_template(template).render(live=live, here=here, refresh_seconds=REFRESH_SECONDS, **values)
    return HTMLResponse(body, headers={"Content-Security-Policy": _POLICY})
