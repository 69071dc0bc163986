"""One page that needs no other file and no network, whatever it shows.

Everything from outside goes through the templates' escaping; scripts run by their hashes alone,
so nothing that slips through could run.
"""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, script: str | None, **values: Any) -> str:
    """The page of a template beside this module; ends in a newline.

    Args:
        script: the file that draws the charts, with plotly beside it; None for a page without.
    """
    environment = Environment(
        loader=PackageLoader("onnxpad.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    scripts = [] if script is None else [_plotly(), _resource(script)]
    page = environment.get_template(template).render(
        css=_resource("report.css"), scripts=scripts, policy=_policy(scripts), **values
    )
    return page.rstrip() + "\n"


def _policy(scripts: list[str]) -> str:
    """What the page may load: itself. Scripts by the hash of their text."""
    digests = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    hashes = " ".join(f"'sha256-{digest}'" for digest in digests) or "'none'"
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _resource(name: str) -> str:
    return files("onnxpad.report").joinpath(name).read_text(encoding="utf-8")


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    text: Any = get_plotlyjs()
    return str(text).replace("</script", "<\\/script")
