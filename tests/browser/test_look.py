"""Every page, light and dark, wide and narrow: axe finds nothing, nothing is cut off, the console is silent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from .browsing import Portal, listen, sign_in

pytestmark = pytest.mark.browser

MOP = Path(__file__).parents[2] / "src" / "mop"
WIDE, NARROW = 1280, 390
# the rules whose verdict colours decide
COLOURS = ["color-contrast", "link-in-text-block"]
# what axe fetches before it runs is for one rule about style sheets, which are the same for all pages
EVERY_RULE: dict[str, Any] = {"preload": False}
COLOURS_ALONE: dict[str, Any] = EVERY_RULE | {"runOnly": {"type": "rule", "values": COLOURS}}
BUT_COLOURS: dict[str, Any] = EVERY_RULE | {"rules": {rule: {"enabled": False} for rule in COLOURS}}
RUN = """options => axe.run(document, {resultTypes: ["violations"], ...options}).then(({violations}) =>
    violations.map(fault => [fault.id, fault.nodes.map(node => node.html.slice(0, 200))]))"""
# what decides how an element with text is coloured is its own style and what it stands in up to the page; elements that
# are alike in all of that have one number. Answers these numbers and keeps the elements for the next script
COLOURED = """() => {
    const chains = new Map([[null, ""]]);
    const chain = element => {
        if (!chains.has(element)) {
            const {backgroundColor, backgroundImage, opacity, filter, mixBlendMode} = getComputedStyle(element);
            const said = ["class", "disabled", "aria-disabled", "aria-hidden"].map(name => element.getAttribute(name));
            const own = [element.tagName, ...said, backgroundColor, backgroundImage, opacity, filter, mixBlendMode];
            chains.set(element, [chain(element.parentElement), ...own].join("|"));
        }
        return chains.get(element);
    };
    const number = text => {
        let hash = 0x811c9dc5;
        for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
        return hash;
    };
    window.coloured = new Map();
    for (const element of document.body.querySelectorAll("*")) {
        const texts = [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
        if (!(texts || element.matches("input, select, textarea")) || !element.checkVisibility()) continue;
        const {color, fontSize, fontWeight, textDecorationLine, textShadow} = getComputedStyle(element);
        const like = number([chain(element), color, fontSize, fontWeight, textDecorationLine, textShadow].join("|"));
        window.coloured.set(like, [...(window.coloured.get(like) ?? []), element]);
    }
    return [...window.coloured.keys()];
}"""
RUN_ON = """([numbers, options]) => axe.run(
    {include: numbers.flatMap(number => window.coloured.get(number))}, {resultTypes: ["violations"], ...options}
).then(({violations}) => violations.map(fault => [fault.id, fault.nodes.map(node => node.html.slice(0, 200))]))"""
TRIAL = "00000000-0000-4000-8000-000000000001"

MEASURED = "/models/measured-model/versions"
SERVICE = "/services/Content%20Safety/"

OPEN_PAGES = ("/accounts/login/", "/accounts/inactive/", "/errors/", "/help/", "/help/errors/", "/help/api/")
OWNER_PAGES = (
    "/home/",
    "/models/",
    "/models/?status=all&search=nothing+fits",
    "/models/text-hate-severity/",
    "/models/text-hate-severity/?version=v1.0.2",
    "/models/text-hate-severity/compare/",
    "/search/?q=hate",
    "/models/text-hate-severity/?details=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.0&with=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.2",
    "/models/text-hate-severity/?load-test=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.2/load-test/?run=1&with=v1.0.0",
    "/models/text-hate-severity/versions/v1.0.0/load-test/enable/",
    "/models/text-hate-severity/versions/v1.0.2/load-test/cancel/",
    "/models/text-hate-severity/tasks/add/",
    "/models/text-hate-severity/tasks/1/disconnect/",
    "/models/text-hate-severity/versions/v1.0.2/sample/",
    "/models/text-hate-severity/versions/v1.0.2/try/",
    f"/models/text-hate-severity/versions/v1.0.2/try/{TRIAL}/",
    "/models/text-hate-severity/upgrade/",
    "/models/text-hate-severity/delete/",
    "/models/text-hate-severity/?details=v1.0.1",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/versions/v1.0.1/findings/?severity=low&action=block",
    "/models/text-hate-severity/versions/v1.0.1/findings/files/",
    "/models/text-hate-severity/waivers/",
    "/models/image-violence/versions/v1.0.1/findings/",
    "/models/image-violence/waivers/",
    "/models/broken-model/?details=v1.0.0",
    "/models/image-violence/?details=v1.0.0",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/note/",
    "/models/text-hate-severity/versions/v1.0.0/logs/deployment/",
    "/models/text-hate-severity/versions/v1.0.0/logs/build/?search=package",
    "/models/image-violence/versions/v1.0.1/logs/build/",
    "/models/measured-model/",
    "/models/measured-model/evaluation/",
    "/models/measured-model/evaluation/?compare=1&sort=recall&average=weighted",
    "/models/measured-model/evaluation/?dataset=unheard-of",
    "/models/measured-model/evaluation/?label=threat",
    "/models/measured-model/rank/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/?merge=threat&merge=graphic",
    f"{MEASURED}/v1.0.1/evaluations/5/self-harm-yes-no/",
    f"{MEASURED}/v1.0.2/evaluations/5/self-harm-yes-no/",
    f"{MEASURED}/v1.0.2/evaluations/5/self-harm-levels-en/",
    f"{MEASURED}/v1.0.1/evaluations/4/violence-kinds-en/publish/",
    "/models/measured-model/regression/",
    "/models/measured-model/regression/?version=v1.0.1&change=failing",
    "/models/measured-model/regression/?search=nothing+fits",
    f"{MEASURED}/v1.0.1/regression/run/",
    f"{MEASURED}/v1.0.1/golden-sets/",
    f"{MEASURED}/v1.0.0/golden-sets/",
    f"{MEASURED}/v1.0.1/",
    "/tasks/4/golden-sets/violence-core/",
    "/tasks/4/results/",
    "/datasets/violence-kinds-en/results/",
    "/datasets/violence-kinds-en/",
    "/add-model/",
    "/tasks/",
    "/tasks/1/",
    "/datasets/",
    "/datasets/?status=all&sort=-updated",
    "/datasets/?search=nothing+fits",
    "/datasets/hate-en-2026/",
    "/datasets/hate-posts-2025/",
    "/datasets/self-harm-chat/",
    "/datasets/hate-en-2026/tasks/",
    "/datasets/hate-en-2026/owners/remove/?username=olivia",
    "/datasets/hate-en-2026/delete/",
    "/add-datasets/",
    "/analysis/",
    "/releases/",
    "/releases/1/",
    "/releases/compare/?first=1&second=2",
    "/releases/2/withdraw/",
    f"{MEASURED}/v1.0.0/card/",
    f"{MEASURED}/v1.0.1/gates/?service=Content+Safety",
    "/notifications/",
    "/notifications/settings/",
    "/notifications/webhooks/",
    "/notifications/webhooks/new/",
    "/dsat/",
    "/dsat/?search=nothing+fits",
    "/dsat/1/",
    "/dsat/1/edit/",
    "/dsat/1/delete/",
    "/dsat-selection/assign/?case=1&case=2",
    "/dsat-selection/delete/?case=1&case=2",
    "/add-dsat/",
    "/add-dsat/?task=4",
    "/dsat-imports/",
    "/account/",
    "/account/tokens/",
    "/accounts/security/",
    "/accounts/2fa/totp/activate/",
    "/accounts/2fa/keys/add/",
    "/history/task/1/",
    "/accounts/password/change/",
    "/accounts/logout/",
)
ADMINISTRATOR_PAGES = (
    "/home/",
    "/datasets/",
    "/datasets/hate-posts-2025/",
    "/tasks/1/",
    "/connection-requests/1/reject/",
    "/models/",
    "/models/cut-off/versions/v1.0.0/",
    "/models/cut-off/versions/v1.0.0/hosts/",
    "/notifications/",
    "/notifications/?show=unread",
    "/models/text-hate-severity/versions/v1.0.1/findings/",
    "/models/text-hate-severity/waivers/",
    "/models/text-hate-severity/waivers/add/?scanner=model-files&rule=code-execution&path=model%2Fweights.pkl",
    "/models/text-hate-severity/waivers/1/end/",
    "/tasks/add/",
    "/taxonomies/",
    "/instance-types/",
    "/teams/",
    "/teams/1/",
    "/teams/1/change/",
    "/teams/1/delete/",
    "/users/",
    "/users/1/",
    "/users/invite/",
    "/users/1/access/disable/",
    "/tasks/1/change/",
    "/tasks/4/",
    "/tasks/4/headline/",
    "/tasks/4/add-golden-set/",
    "/tasks/4/golden-sets/violence-core/",
    "/tasks/4/golden-sets/violence-core/versions/2/",
    "/tasks/4/golden-sets/violence-core/delete/",
    f"{MEASURED}/v1.0.1/regression/fixed/",
    "/releases/2/",
    SERVICE,
    f"{SERVICE}conditions/",
    f"{SERVICE}webhooks/add/",
    f"{SERVICE}gateway/keys/1/rotate/",
    f"{SERVICE}gateway/containers/add/",
    "/audit/",
    "/audit/?person=nobody",
    "/source-prefixes/",
)


@pytest.mark.parametrize(
    ("username", "urls"),
    [
        pytest.param("", OPEN_PAGES, id="open pages"),
        # in parts: on a busy machine a page takes seconds
        *(pytest.param("olivia", OWNER_PAGES[part::4], id=f"an owner's, part {part}") for part in range(4)),
        *(
            pytest.param("ada", ADMINISTRATOR_PAGES[part::2], id=f"an administrator's, part {part}")
            for part in range(2)
        ),
    ],
)
def test_pages_are_accessible_fit_and_say_nothing(
    browser: Browser, portal: Portal, username: str, urls: tuple[str, ...]
):
    """A page is loaded once, and looked at in both widths and themes; see `_in_every_look`."""
    faults: list[Any] = []
    context = browser.new_context(base_url=portal.url, reduced_motion="reduce")
    page = context.new_page()
    messages = listen(page)
    if username:
        sign_in(page, username)
    known: set[int] = set()
    for url in urls:
        _look(page, width=WIDE, theme="light")
        answer = page.goto(url)
        assert answer is not None
        found: list[Any] = [answer.status] if answer.status != 200 else []
        page.evaluate(AXE_SCRIPT)
        found += _in_every_look(page, known, options={} if url == urls[0] else EVERY_RULE)
        faults += [(url, fault) for fault in found]
    context.close()
    assert len(known) > 20  # else nothing was looked at
    assert [*faults, *messages] == []


FAINT = """main => {
    const rules = {
        light: "main .faint-wide { color: #ddd; background: #fff }",
        dark: "@media (prefers-color-scheme: dark) { main .faint-dark { color: #222; background: #111 } }",
        narrow: "@media (max-width: 400px) { main .faint-narrow { color: #ddd; background: #fff } }",
    };
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(Object.values(rules).join(" "));
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    const names = ["wide", "dark", "narrow"];
    main.insertAdjacentHTML("beforeend", names.map(name => `<p class="faint-${name}">Faint</p>`).join(""));
}"""


def test_a_text_that_is_hard_to_read_is_found_in_the_look_that_makes_it_so(browser: Browser, portal: Portal):
    """After the same page was looked at without it, so that its other texts are known."""
    context = browser.new_context(base_url=portal.url, reduced_motion="reduce")
    page = context.new_page()
    known: set[int] = set()
    found = []
    for change in ("main => null", FAINT):
        _look(page, width=WIDE, theme="light")
        page.goto("/accounts/login/")
        page.evaluate(AXE_SCRIPT)
        page.locator("main").evaluate(change)
        found.append(_in_every_look(page, known, options=EVERY_RULE))
    context.close()
    assert found[0] == []
    assert [
        (width, rule, [re.findall(r"faint-(\w+)", node) for node in nodes]) for width, (rule, nodes) in found[1]
    ] == [
        (WIDE, "color-contrast", [["wide"]]),
        (WIDE, "color-contrast", [["wide"], ["dark"]]),
        (NARROW, "color-contrast", [["narrow"]]),
        (NARROW, "color-contrast", [["narrow"]]),
    ]


def test_the_theme_changes_nothing_but_colours():
    styles = {path.name: path.read_text(encoding="utf-8") for path in MOP.glob("ui/static/mop/css/*.css")}
    assert len(styles) >= 6
    themed = [block for text in styles.values() for block in re.findall(r"data-theme[^{}]*\{([^}]*)\}", text)]
    assert sorted(block.strip() for block in themed) == ["color-scheme: dark;", "color-scheme: light;"]
    assert [name for name, text in styles.items() if "prefers-color-scheme" in text] == []


def test_an_open_menu_is_accessible_on_a_narrow_screen(browser: Browser, portal: Portal):
    context = browser.new_context(base_url=portal.url, viewport={"width": NARROW, "height": 900})
    page = context.new_page()
    sign_in(page, "ada")
    page.evaluate(AXE_SCRIPT)
    page.locator("summary", has_text="Menu").click()
    page.get_by_role("navigation", name="Main menu").get_by_role("link", name="Tasks").wait_for()
    assert _in_both_themes(page, width=NARROW) == []
    page.keyboard.press("Escape")
    page.locator("summary", has_text="Account of ada").click()
    page.get_by_role("link", name="Teams").wait_for()
    assert _in_both_themes(page, width=NARROW) == []
    context.close()


def test_pinned_results_are_accessible_and_fit(browser: Browser, portal: Portal):
    """Pins stand in the address by ids, which each installation has its own."""
    context = browser.new_context(base_url=portal.url, reduced_motion="reduce")
    page = context.new_page()
    messages = listen(page)
    sign_in(page, "olivia")
    _look(page, width=WIDE, theme="light")
    page.goto("/models/measured-model/evaluation/?task=violence-kinds")
    for version in ("v1.0.1", "v1.0.0"):
        page.get_by_role("link", name=re.compile(f"^Pin .*, {version}$")).first.click()
    page.get_by_text("2 pinned, A is the baseline").wait_for()
    page.evaluate(AXE_SCRIPT)
    assert [*_in_every_look(page, set(), options=EVERY_RULE), *messages] == []
    context.close()


def _in_both_themes(page: Page, *, width: int) -> list[Any]:
    _look(page, width=width, theme="light")
    found = [*_run(page, EVERY_RULE), *_overflow(page)]
    page.emulate_media(color_scheme="dark")
    return [(width, fault) for fault in [*found, *_run(page, COLOURS_ALONE)]]


def _in_every_look(page: Page, known: set[int], *, options: dict[str, Any]) -> list[Any]:
    """The faults of a page that is shown wide and light.

    That look gets every rule on everything. The dark theme changes colours alone (see the next test), so there, and
    in the narrow look beside the rules about all else, the colours are looked at of what has none of the looks `known`.
    """
    found = [(WIDE, fault) for fault in [*_run(page, options), *_overflow(page)]]
    known.update(page.evaluate(COLOURED))
    page.emulate_media(color_scheme="dark")
    found += [(WIDE, fault) for fault in _run_on_new(page, known)]
    page.set_viewport_size({"width": NARROW, "height": 900})
    found += [(NARROW, fault) for fault in _run_on_new(page, known)]
    page.emulate_media(color_scheme="light")
    narrow = [*_run(page, BUT_COLOURS), *_run_on_new(page, known), *_overflow(page)]
    return [*found, *((NARROW, fault) for fault in narrow)]


def _run_on_new(page: Page, known: set[int]) -> list[Any]:
    new = [number for number in page.evaluate(COLOURED) if number not in known]
    known.update(new)
    found: list[Any] = page.evaluate(RUN_ON, [new, COLOURS_ALONE]) if new else []
    return found


def _look(page: Page, *, width: int, theme: Literal["light", "dark"]) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=theme)


def _run(page: Page, options: dict[str, Any]) -> list[Any]:
    found: list[Any] = page.evaluate(RUN, options)
    return found


def _overflow(page: Page) -> list[str]:
    pixels = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"the page is {pixels} px too wide"] if pixels > 0 else []
