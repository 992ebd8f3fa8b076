"""Serves the page of `make docs-play` on this machine: `serve.py [PORT]`, by default any free port.

As the browser viewer does (`sandbox/viewer/web/app.py`): other pages in a browser on this machine can send requests
here, so a request must name this machine as its host, and its path begins with a token. The files are read once.
"""

import re
import secrets
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PLACE = Path(__file__).parents[2] / "dist" / "play"
TYPES = {
    "index.html": "text/html",
    "play.css": "text/css",
    "play.mjs": "text/javascript",
    "policy.mjs": "text/javascript",
    "catch.mjs": "text/javascript",
    "ort.wasm.bundle.min.mjs": "text/javascript",
    "ort-wasm-simd-threaded.wasm": "application/wasm",
    "policy.onnx": "application/octet-stream",
    "policy.json": "application/json",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d{1,5})?")


class Handler(BaseHTTPRequestHandler):
    """Answers GET requests for the files, below the token."""

    def __init__(self, token: str, files: dict[str, bytes], *request: object) -> None:
        self._token, self._files = token, files
        super().__init__(*request)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Answer one request."""
        _, token, name = [*self.path.partition("?")[0].split("/", 2), ""][:3]
        is_local = _LOCAL_HOST.fullmatch(self.headers.get("Host", "")) is not None
        if not is_local or not secrets.compare_digest(token.encode(), self._token.encode()):
            self._answer(HTTPStatus.FORBIDDEN, "text/plain", b"Open the whole address that was printed.\n")
            return
        name = name or "index.html"
        if name in self._files:
            self._answer(HTTPStatus.OK, TYPES[name], self._files[name])
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"There is no such file.\n")

    def log_message(self, *line: object) -> None:
        """Print nothing."""

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def server(port: int, place: Path = PLACE) -> tuple[ThreadingHTTPServer, str]:
    """Return a server on this machine only, and the address of its page."""
    token = secrets.token_urlsafe(16)
    files = {name: (place / name).read_bytes() for name in TYPES}
    made = ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, token, files))
    return made, f"http://127.0.0.1:{made.server_port}/{token}/"


if __name__ == "__main__":
    served, address = server(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"open {address} in a browser; Ctrl-C ends it", flush=True)
    try:
        served.serve_forever()
    except KeyboardInterrupt:
        print()
