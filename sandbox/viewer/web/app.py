"""The web application of the viewer: one page and one websocket, both protected by a token.

The server listens on this machine only, but any web page that is open in a browser on this machine can send requests to
it. A request must therefore name this machine as its host (against DNS rebinding), carry the token, and, for the
websocket, come from the viewer's own page. No files are served: the page is read once, and there is no other address.
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

_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?")
_CLIENT_NAME = re.compile(r"[0-9a-f]{16,32}")
_FORBIDDEN = "The token is missing or wrong. Open the whole address that `sandbox` printed in the terminal.\n"


def app(clients: Clients, token: str) -> Starlette:
    """Return the application: the page at `/?token=...`, its websocket at `/frames?token=...&name=...`."""
    page = Path(__file__).with_name("page.html").read_text("utf-8")
    headers = {
        "Content-Security-Policy": content_security_policy(page),
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }

    async def get_page(request: Request) -> Response:
        if not _is_authorized(request, token):
            return PlainTextResponse(_FORBIDDEN, 403, headers)
        return Response(page, 200, headers, "text/html")

    async def frames(socket: WebSocket) -> None:
        own_origin = f"http://{socket.headers.get('host')}"
        name = socket.query_params.get("name", "")
        is_own_page = socket.headers.get("origin") == own_origin
        if not _is_authorized(socket, token) or not is_own_page or not _CLIENT_NAME.fullmatch(name):
            await socket.close()  # before it is accepted: the response is 403
            return
        await clients.serve(socket, name)

    return Starlette(routes=[Route("/", get_page), WebSocketRoute("/frames", frames)])


def content_security_policy(page: str) -> str:
    """Return the page's Content-Security-Policy: its own script and style by hash, its own server, nothing else."""
    return (
        f"default-src 'none'; script-src {_hashes(page, 'script')}; style-src {_hashes(page, 'style')}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _hashes(page: str, tag: str) -> str:
    """Return the CSP hashes of the page's elements of this tag."""
    contents = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in contents)


def _is_authorized(connection: HTTPConnection, token: str) -> bool:
    """Return whether a request names this machine as its host and carries the token."""
    hosts = connection.headers.getlist("host")
    is_local = len(hosts) == 1 and _LOCAL_HOST.fullmatch(hosts[0]) is not None
    given = connection.query_params.get("token", "")
    return compare_digest(given.encode(), token.encode()) and is_local
