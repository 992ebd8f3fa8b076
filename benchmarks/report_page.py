"""Open pages of `sandbox report` in a browser: point at curves, hide them, sort tables, and save screenshots.

    pip install playwright && apt-get install chromium
    python benchmarks/report_page.py report.html --shots DIR

The browser has no network. A message in its console, such as a refusal of the content security policy, is an error.
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SIZES = {"desktop": (1440, 900), "small": (400, 300), "phone": (390, 844)}


def tried(page: Page) -> dict[str, object]:
    """Use each kind of interaction once, and return the observed effects."""
    found: dict[str, object] = {}
    found["wider than the window, in pixels"] = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    head = page.locator(".wide th[scope=col]").nth(2)
    if head.count():
        column = "table => [...table.tBodies[0].rows].slice(0, 5).map(row => row.cells[2].textContent)"
        table = page.locator(".wide table").first
        head.click()
        first = head.get_attribute("aria-sort"), table.evaluate(column)
        head.click()
        found["sorted"] = [first, (head.get_attribute("aria-sort"), table.evaluate(column))]
    plot = page.locator("figure[data-plot] svg").first
    if plot.count():
        plot.evaluate("svg => svg.scrollIntoView()")
        box = plot.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.35 * min(box["height"], box["width"] * 0.6))
        found["values under the pointer"] = page.locator(".tip:visible").first.inner_text(timeout=2_000).splitlines()
        key = plot.locator(".key").first
        key.click()
        found["hidden after a click"] = page.locator(".line.off").count()
        key.click()
        key.dblclick()
        found["hidden after a double click"] = page.locator(".line.off").count()
        key.dblclick()
        found["hidden after another"] = page.locator(".line.off").count()
        page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.35 * min(box["height"], box["width"] * 0.6))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--shots", type=Path, required=True, help="folder for screenshots")
    arguments = parser.parse_args()
    arguments.shots.mkdir(parents=True, exist_ok=True)
    failed = False
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for place in arguments.pages:
            print(f"{place}: {place.stat().st_size / 1024:,.0f} KiB")
            for name, (width, height) in SIZES.items():
                for scripts in (True, False) if name == "desktop" else (True,):
                    options = {"viewport": {"width": width, "height": height}, "offline": True}
                    page = browser.new_context(**options, java_script_enabled=scripts).new_page()
                    complaints: list[str] = []
                    page.on("console", lambda message, seen=complaints: seen.append(message.text))
                    page.on("pageerror", lambda error, seen=complaints: seen.append(str(error)))
                    page.goto(place.resolve().as_uri())
                    label = f"{place.stem}_{name}" + ("" if scripts else "_without_scripts")
                    page.screenshot(path=arguments.shots / f"{label}_top.png")
                    if scripts:
                        for what, value in tried(page).items():
                            print(f"  {name}: {what}: {value}")
                        page.screenshot(path=arguments.shots / f"{label}_used.png")
                    page.screenshot(path=arguments.shots / f"{label}.png", full_page=True)
                    failed |= bool(complaints)
                    for complaint in complaints:
                        print(f"  {name}: the browser says: {complaint}")
        browser.close()
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()
