"""The picture of the portal in README.md, taken from the demonstration.

    PYTHONPATH=tests python scripts/readme_picture.py [docs/portal.png]

Runs `mop demo` in a folder of its own, waits for its result, signs in as the contributor whom it prints, and takes the
page of the onboarded model. The picture has a palette of 256 colours, which keeps it small.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from browser.browsing import launch
from support.installation import free_port

WIDTH, HEIGHT = 1280, 800
BYTES_MAX = 200_000
MODEL = "/models/{}/"
RESULT = re.compile(r"^(\S+) \S+ is verified")
CONTRIBUTOR = re.compile(r"contributor\s+(\S+)\s+password (\S+)")


def main(path: Path) -> None:
    """Take the picture and write it there.

    Raises:
        SystemExit: the demonstration's model was not verified, or the picture is too large.
    """
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        command = [sys.executable, "-m", "mop.cli", "demo", "--home", f"{home}/demo", "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
            try:
                model, username, password = _result(demo)
                picture = _taken(f"http://127.0.0.1:{port}", MODEL.format(model), username, password)
            finally:
                demo.terminate()
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size:,} bytes")
    if path.stat().st_size > BYTES_MAX:
        raise SystemExit(f"{path} has more than {BYTES_MAX:,} bytes")


def _result(demo: subprocess.Popen[str]) -> tuple[str, str, str]:
    """Name of the model, and who may see it."""
    model = ""
    for line in demo.stdout or ():
        print(line, end="")
        if found := RESULT.match(line):
            model = found[1]
        elif model and (found := CONTRIBUTOR.search(line)):
            return model, found[1], found[2]
    raise SystemExit("the demonstration ended without a verified model")


def _taken(url: str, page_url: str, username: str, password: str) -> bytes:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(
            base_url=url, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(page_url)
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"**{page_url}")
        page.wait_for_load_state("networkidle")
        picture = page.screenshot()
        browser.close()
    return picture


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/portal.png"))
