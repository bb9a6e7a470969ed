"""Tests of the page in Chromium: alone, by keyboard, in light and dark, on phone and paper."""

import base64
import re
from typing import Any, Dict, List

import pytest

from ckptcheck.rules import all_rules
from ckptcheck.rules import examples as made
from ckptcheck.sanitize import printable

from ..unit.test_html_format import EVIL, inspected, verified
from ..unit.test_json_format import report_of
from .conftest import Opens
from .reports import full, several, transformer

pytestmark = pytest.mark.browser

TAB, ENTER, SPACE, ESCAPE = "\ue004", "\ue007", " ", "\ue00c"
LEFT, UP, RIGHT, DOWN, SHIFT = "\ue012", "\ue013", "\ue014", "\ue015", "\ue008"

MODEL = transformer(480, 8)
"""Ten layers. Eight variables have another shape."""

PAGES = {
    "check": MODEL,
    "full": full("scope/<b>name"),
    "several": several(),
    "inspect": inspected(),
    "verify": verified(),
    "drift": report_of(all_rules()["op-changed"].bad()),
    "fine": report_of(made.facts()),
}

VISIBLE = """
const away = "[hidden], [hidden] *, details:not([open]) > ul *";
const lines = [...document.querySelectorAll(`.tree .v:not(${away})`)];
return lines.map(v => (v.querySelector(".row") || v).firstElementChild.firstChild.data);
"""
FOCUS = """
const at = document.activeElement;
const shown = at.type === "radio" ? at.nextElementSibling : at;
const style = getComputedStyle(shown);
return {tag: at.tagName, text: at.textContent, type: at.type || "", value: at.value || "",
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
        inView: shown.getBoundingClientRect().bottom > 0
                && shown.getBoundingClientRect().top < innerHeight};
"""


@pytest.mark.parametrize("name", PAGES)
def test_it_opens_from_a_file_without_a_message_or_a_request(name: str, opened: Opens) -> None:
    page = opened(PAGES[name])
    assert page.messages() == []
    assert [at for at in page.requests() if not at.startswith(("file://", "data:"))] == []
    assert page.js("return document.compatMode") == "CSS1Compat"
    assert page.js("return document.querySelector('h1').checkVisibility()")


@pytest.mark.parametrize("name", EVIL)
def test_an_evil_name_is_only_text(name: str, opened: Opens) -> None:
    page = opened(full(name))
    page.driver.execute_script("return 1")  # an alert would end the test here
    assert page.messages() == []
    assert page.js("return document.querySelectorAll('script').length") == 1
    assert page.js("return document.querySelectorAll('img, svg, base, iframe').length") == 0
    text = page.js("return document.querySelector('main').textContent")
    assert printable(name, 2000).strip() in text


def test_the_policy_stops_what_is_not_the_pages_own(opened: Opens) -> None:
    page = opened(MODEL)
    page.js(
        """
        const img = document.createElement("img");
        img.src = "https://example.invalid/x.png";
        document.body.append(img);
        try {
          const script = document.createElement("script");
          script.text = "window.ran = true";
          document.body.append(script);
        } catch (error) { window.refused = error.name; }
        """
    )
    assert page.js("return window.ran === undefined && window.refused") == "TypeError"
    assert not any("example.invalid" in at for at in page.requests() if "file" in at)
    assert any("Content Security Policy" in item["message"] for item in page.messages())


# --- Search and folding ------------------------------------------------------------------------


def search(page: Any, text: str) -> None:
    """Types into the search. Waits until each key has taken effect."""
    box = page.driver.find_element("css selector", "input[type=search]")
    page.press("/")
    page.wait(lambda: page.driver.switch_to.active_element == box)
    page.press(text)
    page.wait(lambda: box.get_property("value") == text)


def test_a_search_shows_what_it_finds_and_unfolds_it(opened: Opens) -> None:
    page = opened(MODEL)
    assert page.js("return document.querySelector('output').textContent") == "480 variables"
    search(page, "LAYER_3/ query kernel")
    assert page.js(VISIBLE) == ["kernel"]
    assert page.js("return document.querySelector('output').textContent") == "3 of 480 variables"
    page.press(ESCAPE)
    assert page.js("return document.querySelector('output').textContent") == "480 variables"


def test_a_search_finds_slots(opened: Opens) -> None:
    page = opened(MODEL)
    search(page, "layer_3/output/dense/bias/Adam_1")
    assert page.js(VISIBLE) == ["bias", "Adam_1"]


def test_after_a_search_all_is_folded_as_before(opened: Opens) -> None:
    page = opened(transformer(4800, 40))
    before = page.js(VISIBLE)
    search(page, "layer_17/")
    assert len(page.js(VISIBLE)) == 16
    page.press(ESCAPE)
    assert page.js(VISIBLE) == before


def test_a_search_without_a_result_says_so(opened: Opens) -> None:
    page = opened(MODEL)
    search(page, "nonesuch")
    assert page.js(VISIBLE) == []
    assert page.js("return document.querySelector('.none').checkVisibility()")


@pytest.mark.parametrize(
    ("state", "count"), [("problem", 8), ("shape", 8), ("missing", 0), ("unused", 0), ("dtype", 0)]
)
def test_the_filter_by_state(state: str, count: int, opened: Opens) -> None:
    page = opened(MODEL)
    choice = page.driver.find_element("css selector", f"input[value={state}]")
    assert choice.is_enabled() == bool(count)
    if count:
        page.js("arguments[0].click()", choice)
        said = page.js("return document.querySelector('output').textContent")
        assert said == f"{count} of 480 variables"
        assert page.js(
            "return [...document.querySelectorAll('.tree .v')].filter(v => v.checkVisibility())"
            ".every(v => v.matches('.problem, :has(.problem)'))"
        )


def test_fold_and_unfold_all(opened: Opens) -> None:
    page = opened(MODEL)
    fold, unfold = (
        f"document.querySelector('[data-fold=\"{state}\"]').click()" for state in ("", "open")
    )
    page.js(fold)
    assert page.js(VISIBLE) == []
    page.js(unfold)
    assert len(page.js(VISIBLE)) == 160  # the slots stay folded


def test_a_click_folds(opened: Opens) -> None:
    page = opened(MODEL)
    page.driver.find_element("css selector", ".tree summary").click()
    assert page.js(VISIBLE) == []


def test_ten_thousand_variables(opened: Opens) -> None:
    page = opened(transformer(10000, 40))
    assert page.messages() == []
    search(page, "layer_207/ kernel")
    assert page.js("return document.querySelector('output').textContent").endswith(
        " of 10,000 variables"
    )
    assert set(page.js(VISIBLE)) == {"kernel"}
    page.press(ESCAPE)
    page.js("document.querySelector('[data-fold=open]').click()")
    assert len(page.js(VISIBLE)) == 3334


# --- Keyboard ----------------------------------------------------------------------------------


def test_everything_can_be_reached_by_tab_and_shows_the_focus(opened: Opens) -> None:
    page = opened(full("scope/name"))
    expected = page.js(
        """
        const all = document.querySelectorAll("a[href], button, input, summary");
        const shown = [...all].filter(at => at.checkVisibility() && !at.disabled);
        return shown.filter(at => at.type !== "radio" || at.checked).length;
        """
    )
    reached: List[Dict[str, Any]] = []
    page.press(TAB)
    while page.js("return document.activeElement !== document.body") and len(reached) < 200:
        reached.append(page.js(FOCUS))
        page.press(TAB)
    assert len(reached) == expected
    assert [at for at in reached if not at["outline"] or not at["inView"]] == []
    tops = [at["tag"] for at in reached]
    assert tops.index("A") < tops.index("BUTTON") < tops.index("INPUT")


def test_a_whole_visit_by_keyboard(opened: Opens) -> None:
    page = opened(MODEL)
    page.press("/")
    assert page.js(FOCUS)["type"] == "search"
    page.press("layer_3/attention/self/key", DOWN)
    assert page.js(FOCUS)["text"].startswith("encoder/")
    page.press(DOWN, DOWN, DOWN, DOWN, DOWN)
    assert page.js(FOCUS)["text"].startswith("bias")
    assert "Adam" not in page.js(VISIBLE)
    page.press(RIGHT)
    assert "Adam" in page.js(VISIBLE)
    page.press(LEFT)
    assert "Adam" not in page.js(VISIBLE)
    page.press(LEFT)
    assert page.js(FOCUS)["text"].startswith("key/")
    page.press(ENTER)
    assert page.js(VISIBLE) == []
    page.press(UP, UP, UP, UP, UP)
    assert page.js(FOCUS)["type"] == "search"
    page.press("/")  # "/" is text in this field
    assert page.js(FOCUS)["value"].endswith("/")


def test_radio_buttons_by_arrow(opened: Opens) -> None:
    page = opened(MODEL)
    page.press("/", TAB)
    assert page.js(FOCUS)["type"] == "radio"
    page.press(RIGHT)
    assert page.js(FOCUS)["value"] == "problem"
    assert page.js("return document.querySelector('output').textContent") == "8 of 480 variables"


def test_advice_is_copied_by_keyboard(opened: Opens) -> None:
    page = opened(full("x y"))
    page.js("document.querySelector('[data-copy]').focus()")
    page.press(ENTER)
    page.js("return new Promise(done => setTimeout(done, 100))")
    assert page.js(FOCUS)["text"] == "Copied"
    page.press("/")
    page.paste()
    assert page.js(FOCUS)["value"] == '{"key": "x y"}'


def test_a_link_unfolds_what_it_leads_to(opened: Opens) -> None:
    page = opened(several())
    shown = "return document.querySelector('#check-2 h3').checkVisibility()"
    assert not page.js(shown)
    page.js("document.querySelector('a[href=\"#check-2\"]').click()")
    page.js("return new Promise(done => setTimeout(done, 50))")
    assert page.js(shown)
    assert opened(several(), "#check-2").js(shown)


def test_a_variable_leads_to_its_finding(opened: Opens) -> None:
    page = opened(MODEL)
    page.js("document.querySelector('.tree a').click()")
    assert page.js("return document.querySelector(':target').className") == "finding error"


# --- Looks -------------------------------------------------------------------------------------

CONTRAST = """
const channel = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const rgba = text => {
  const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const over = (top, below) => top.slice(0, 3).map((v, i) => v * top[3] + below[i] * (1 - top[3]));
const behind = at => {
  const layers = [];
  for (; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const ratio = (one, other) => {
  const [a, b] = [light(one), light(other)].sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
};
for (const at of document.querySelectorAll("details")) at.open = true;
const poor = [];
let count = 0;
for (const at of document.querySelectorAll("body *")) {
  const own = [...at.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!own || !at.checkVisibility() || at.closest("script, .said-aloud")) continue;
  count += 1;
  const found = ratio(rgba(getComputedStyle(at).color), behind(at));
  if (found < 4.5) poor.push([at.tagName, at.className, at.textContent.slice(0, 40), found]);
}
for (const at of document.querySelectorAll("input[type=search], button")) {
  if (!at.checkVisibility()) continue;
  const found = ratio(rgba(getComputedStyle(at).borderTopColor), behind(at.parentElement));
  if (found < 3) poor.push(["border", at.tagName, found]);
}
return {poor, count};
"""


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_text_has_contrast(name: str, dark: bool, opened: Opens) -> None:
    found = opened(PAGES[name], dark=dark).js(CONTRAST)
    assert found["poor"] == []
    assert found["count"] > 15


def test_it_follows_the_light_and_dark_setting(opened: Opens) -> None:
    back = "return getComputedStyle(document.body).backgroundColor"
    light, dark = (opened(MODEL, dark=dark).js(back) for dark in (False, True))
    assert sum(map(int, re.findall(r"\d+", light))) > 700
    assert sum(map(int, re.findall(r"\d+", dark))) < 100


@pytest.mark.parametrize("width", [320, 390, 800, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_no_page_is_wider_than_the_window(name: str, width: int, opened: Opens) -> None:
    page = opened(PAGES[name], width=width)
    page.js("for (const at of document.querySelectorAll('details')) at.open = true")
    assert page.js("return document.documentElement.scrollWidth") <= width


def test_long_names_wrap_on_a_phone(opened: Opens) -> None:
    page = opened(full("x" * 5000), width=390)
    page.js("for (const at of document.querySelectorAll('details')) at.open = true")
    assert page.js("return document.documentElement.scrollWidth") <= 390


def test_reduced_motion(opened: Opens) -> None:
    moves = (
        "return getComputedStyle(document.querySelector('.tree summary'), '::before').transition"
    )
    assert "0.1s" in opened(MODEL).js(moves)
    assert opened(MODEL, reduced_motion="reduce").js(moves) in ("none", "none 0s ease 0s")


def test_paper(opened: Opens) -> None:
    page = opened(MODEL, dark=True)
    page.print_media()
    for hidden in (".top", ".tools", "button"):
        assert not page.js(f"return document.querySelector('{hidden}').checkVisibility()")
    made = page.driver.execute_cdp_cmd("Page.printToPDF", {})
    pages = base64.b64decode(made["data"]).count(b"/Type /Page\n")
    assert 1 <= pages <= 8


def test_it_reads_without_scripts(opened: Opens, chromium: Any) -> None:
    chromium.scripts(allowed=False)
    try:
        page = opened(MODEL)
        text = page.driver.find_element("tag name", "main").text
        assert "PREDICT, EVAL, TRAIN will not restore correctly." in text
        assert "encoder/" in text
        assert "Unfold all" not in text and "Copy" not in text, "a button that does nothing"
        page.driver.find_element("css selector", ".tree summary").click()
        assert "layer_3/" not in page.driver.find_element("css selector", ".tree").text
    finally:
        chromium.scripts(allowed=True)


# --- Accessibility -----------------------------------------------------------------------------

PROBLEMS = """
const wrong = [];
const named = at => (at.getAttribute("aria-label") || at.textContent).trim();
const all = selector => [...document.querySelectorAll(selector)];
if (!document.documentElement.lang || !document.title) wrong.push("no language or no title");
if (all("main").length !== 1 || all("h1").length !== 1) wrong.push("not one main part and title");
for (const at of all("a, button, summary, th, legend, section[aria-label], nav"))
  if (!named(at) && at.tagName !== "TH") wrong.push("no name: " + at.outerHTML.slice(0, 80));
for (const at of all("input")) {
  const label = at.labels[0];
  if (!label || !named(label)) wrong.push("no label: " + at.outerHTML);
}
for (const at of all("[aria-labelledby]"))
  if (!document.getElementById(at.getAttribute("aria-labelledby"))) wrong.push("no such id");
const ids = all("[id]").map(at => at.id);
if (new Set(ids).size !== ids.length) wrong.push("an id twice");
for (const at of all("ul, dl"))
  for (const item of at.children)
    if (!(at.tagName === "UL" ? ["LI"] : ["DT", "DD", "DIV"]).includes(item.tagName))
      wrong.push("in a list: " + item.tagName);
for (const at of all("details"))
  if (at.firstElementChild.tagName !== "SUMMARY") wrong.push("no summary");
if (document.querySelector("[aria-hidden=true] :is(a, button, input, summary)"))
  wrong.push("hidden, but with a focus");
if (document.querySelector("[tabindex]:not([tabindex='0'], [tabindex='-1'])"))
  wrong.push("an order of its own");
return wrong;
"""


@pytest.mark.parametrize("name", PAGES)
def test_parts_have_names_and_lists_have_items(name: str, opened: Opens) -> None:
    assert opened(PAGES[name]).js(PROBLEMS) == []


SPOKEN = {"main", "navigation", "banner", "heading", "list", "searchbox", "status"}
"""The roles that a screen reader needs to find its way."""


def test_a_screen_reader_hears_the_result_of_a_search(opened: Opens) -> None:
    page = opened(MODEL)
    # Chromium builds this tree when it is first asked for: the first answer may lack elements.
    page.wait(lambda: {role for role, _ in page.spoken()} >= SPOKEN)
    assert [name for role, name in page.spoken() if role == "searchbox"] == ["Search"]
