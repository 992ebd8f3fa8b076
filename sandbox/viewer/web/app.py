"""The door of the viewer's little server: one page, one websocket, and nobody without the token.

It listens on this machine only, but every page that its user has open in a browser can reach it there. So a request
must name this machine as its host (against DNS rebinding), carry the token, and, for the websocket, come from the page
itself. No file is served: the page is read once, and there is no other address.
"""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from secrets import compare_digest

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sandbox.viewer.web.clients import Clients

_HERE = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_NAME = re.compile(r"[0-9a-f]{16,32}")
_REFUSED = "The token is missing or wrong. Open the whole address that `sandbox` printed in the terminal.\n"


def app(audience: Clients, token: str) -> Starlette:
    """The application: `/?token=...` is the page, `/pictures?token=...&name=...` its websocket."""
    page = Path(__file__).with_name("page.html").read_text("utf-8")
    headers = {
        "Content-Security-Policy": policy(page),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def show(request: Request) -> Response:
        if not _may_enter(request, token):
            return PlainTextResponse(_REFUSED, 403, headers)
        return Response(page, 200, headers, "text/html")

    async def pictures(socket: WebSocket) -> None:
        own = f"http://{socket.headers.get('host')}"
        name = socket.query_params.get("name", "")
        if not _may_enter(socket, token) or socket.headers.get("origin") != own or not _NAME.fullmatch(name):
            await socket.close()  # before it was accepted: the answer is 403
            return
        await audience.welcome(socket, name)

    return Starlette(routes=[Route("/", show), WebSocketRoute("/pictures", pictures)])


def policy(page: str) -> str:
    """The page's Content-Security-Policy: its own script and style by their hash, its own server, and nothing else."""
    script, style = (_hashes(page, tag) for tag in ("script", "style"))
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hashes(page: str, tag: str) -> str:
    texts = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in texts)


def _may_enter(connection: HTTPConnection, token: str) -> bool:
    hosts, given = connection.headers.getlist("host"), connection.query_params.get("token", "")
    here = len(hosts) == 1 and _HERE.fullmatch(hosts[0]) is not None
    return compare_digest(given.encode(), token.encode()) and here
