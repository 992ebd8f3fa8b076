import pytest


@pytest.fixture
def server():
    """A server on a free port."""
    pytest.importorskip("starlette")
    pytest.importorskip("uvicorn")
    from sandbox.viewer.web.server import ViewerServer

    with ViewerServer(0) as server:
        yield server


@pytest.fixture(scope="module")
def chromium():
    from viewer.web.browsing import CHROMIUM, playwright

    options = ["--no-sandbox", "--no-first-run", "--disable-background-networking"]
    options += ["--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """Open an address in a window of its own; `page.errors` holds the errors of its console and scripts."""
    contexts = []

    def open_page(url, **options):
        contexts.append(chromium.new_context(**{"viewport": {"width": 1000, "height": 800}} | options))
        page = contexts[-1].new_page()
        page.errors = []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def served():
    """A session that runs until `q` is pressed, and its server."""
    from viewer.web.browsing import KeyCounter, serving

    session = KeyCounter()
    with serving(session) as server:
        yield session, server
