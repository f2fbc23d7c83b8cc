"""Every page, light and dark, wide and narrow: axe finds nothing, nothing is cut off, the console is silent.

The text of a page holds no identifiers beside the product's vocabulary.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page

from support.plain_words import not_for_people

from .browsing import Portal, listen, sign_in
from .pages import ADMINISTRATOR_PAGES, OPEN_PAGES, OWNER_PAGES, begin_drafts, open_page

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
# what people read of a page, but for code, logs and what they typed
TEXT = """() => {
    const apart = "code, pre, textarea, option, script, [role=log]";
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    const found = [];
    while (texts.nextNode()) {
        if (!texts.currentNode.parentElement.closest(apart)) found.push(texts.currentNode.data);
    }
    return found.join("\\n");
}"""
RUN_ON = """([numbers, options]) => axe.run(
    {include: numbers.flatMap(number => window.coloured.get(number))}, {resultTypes: ["violations"], ...options}
).then(({violations}) => violations.map(fault => [fault.id, fault.nodes.map(node => node.html.slice(0, 200))]))"""


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
    drafts = begin_drafts(page, portal.models) if urls == OWNER_PAGES[::4] else ()
    for url in (*urls, *drafts):
        _look(page, width=WIDE, theme="light")
        found: list[Any] = [] if open_page(page, url) else ["no page of its own"]
        page.evaluate(AXE_SCRIPT)
        found += _in_every_look(page, known, options={} if url == urls[0] else EVERY_RULE)
        if not url.startswith(("/help/", "/search/", "/errors/")):  # these quote guides, which are about names too
            found += not_for_people(page.evaluate(TEXT))
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
