"""The page in a Chromium that is on this machine: what readers do, offline, at several sizes."""

import re
import shutil

import duckdb
import pytest

from tests.exports.private_night import build_night

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.xdist_group("chromium"),
]
PHONE = {"width": 390, "height": 844}
NASTY = "<img src=x onerror=alert(1)></script><b>"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as runtime:
        browser = runtime.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory, publish):
    """A published page in which one customer has a name with markup."""
    folder = tmp_path_factory.mktemp("page")
    files = build_night(folder / "night")
    with duckdb.connect(str(files[0])) as connection:
        connection.execute(
            "update customer_360 set customer_name = $1 where customer_id = 'c002'", [NASTY]
        )
    return publish(files, folder / "home").dashboard.as_uri()


@pytest.fixture
def open_page(browser, address):
    """Opens the page; a console message, an error or a request beyond the file fails the test."""
    contexts, trouble = [], []

    def open_page(path="", **options):
        contexts.append(browser.new_context(**options))
        contexts[-1].set_default_timeout(180_000)  # a busy machine takes its time
        page = contexts[-1].new_page()
        page.on("console", lambda message: trouble.append(message.text))
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append(dialog.message))
        page.on(
            "request",
            lambda request: (
                trouble.append(request.url)
                if not request.url.startswith(("data:", address))
                else None
            ),
        )
        page.goto(address + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def column(page, number, table="#calls"):
    """The texts of a column of the rows that are seen."""
    cells = page.locator(f"{table} tbody tr:not(.group) td:nth-child({number})")
    return [cell.inner_text().replace(",", "") for cell in cells.all() if cell.is_visible()]


def test_the_queue_is_filtered_by_csm_text_and_what_fits_this_week(open_page):
    page = open_page()
    within = len(column(page, 2))
    page.check("#queue-cut")
    everything = column(page, 2)
    assert len(everything) > within
    page.select_option("#queue-csm", "Bo Lind")
    mine = column(page, 2)
    assert 0 < len(mine) < len(everything)
    assert page.locator("#calls tr.group:visible").count() == 1
    page.fill("#queue-text", mine[0].split('"')[1] + '"')
    assert column(page, 2) == mine[:1]
    assert page.inner_text("#queue-shown") == "1 row"
    page.fill("#queue-text", "no such customer")
    assert column(page, 2) == []
    assert page.inner_text("#queue-shown") == "No row fits."


def test_a_column_sorts_down_up_and_back_to_the_order_of_the_queue(open_page):
    page = open_page()
    before = column(page, 6)
    head = page.locator("#calls th", has_text="ARR due")
    assert head.get_attribute("aria-sort") == "none"
    head.locator("button").click()
    figures = [int(text) for text in column(page, 6)]
    assert head.get_attribute("aria-sort") == "descending"
    assert figures == sorted(figures, reverse=True)
    assert page.locator("#calls tr.group:visible").count() == 0
    head.locator("button").press("Enter")
    assert [int(text) for text in column(page, 6)] == sorted(figures)
    head.locator("button").click()
    assert head.get_attribute("aria-sort") == "none"
    assert column(page, 6) == before


def test_ranks_sort_from_the_first_call_on(open_page):
    page = open_page()
    page.locator("#calls th", has_text="Rank").locator("button").click()
    ranks = [int(text) for text in column(page, 1)]
    assert ranks == sorted(ranks)
    assert len(ranks) > 10  # as figures: 10 comes after 9


def test_who_unfolds_a_table_by_keyboard_goes_on_at_its_first_new_row(open_page):
    page = open_page()
    more = page.locator("#changes button.more")
    row = page.locator("#changes tbody tr.later").first
    more.press("Enter")
    assert more.count() == 0
    assert row.evaluate("row => row === document.activeElement")


def test_what_is_not_measured_stands_last_whichever_way_it_is_sorted(open_page):
    page = open_page()
    head = page.locator("#audit th", has_text="ARR at stake").first
    for _ in range(2):
        head.locator("button").click()
        assert "–" in column(page, 5, "#audit > .wide table")[-1]


def test_a_customer_opens_from_a_row_and_closes_by_back_escape_and_button(open_page):
    page = open_page()
    customer = page.locator("#calls a.who:visible").first
    name = customer.inner_text()
    customer.click()
    dialog = page.locator("dialog[open]")
    assert dialog.locator("h2").inner_text() == name
    assert page.evaluate("location.hash").startswith("#customer=")
    assert page.evaluate("document.querySelector('dialog').contains(document.activeElement)")
    page.go_back()
    dialog.wait_for(state="detached")
    customer.press("Enter")
    dialog.wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("location.hash === ''")
    assert dialog.count() == 0
    assert page.evaluate("document.activeElement.textContent") == name
    customer.click()
    dialog.locator("button.close").click()
    page.wait_for_function("location.hash === ''")
    assert dialog.count() == 0


def test_closing_twice_in_haste_goes_back_once(open_page):
    page = open_page("#queue")
    page.locator("#calls a.who:visible").first.click()
    dialog = page.locator("dialog[open]")
    dialog.wait_for()
    page.evaluate("for (const _ of [1, 2]) document.querySelector('dialog button.close').click()")
    page.wait_for_function("location.hash === '#queue'")
    assert dialog.count() == 0


def test_a_shared_address_opens_the_customer_with_all_its_parts(open_page):
    page = open_page("#customer=c001")
    heads = page.locator("dialog[open] h3").all_inner_texts()
    for title in ("What the score is made of", "Why it changed since last night", "Terms"):
        assert title in heads
    text = page.inner_text("dialog")
    assert "Usage level -12.5 points" in text
    assert "cannot log in" in text
    assert "does not apply" in text
    assert page.locator("dialog svg.usage path").count() == 1
    page.keyboard.press("Escape")
    page.wait_for_function("location.hash === ''")
    assert page.locator("dialog[open]").count() == 0


def test_a_call_says_what_is_at_stake(open_page):
    """Who has not renewed has no ARR any more, and the most urgent call."""
    page = open_page()
    row = page.locator("#calls tbody tr:not(.group)").first
    due = row.locator("td").nth(5).inner_text()
    row.locator("a.who").click()
    assert f"{due} EUR due" in page.locator("dialog ul.calls").inner_text()


def test_the_timeline_says_codes_in_words_and_recorded_texts_as_they_are(open_page):
    page = open_page("#customer=c003")
    told = page.locator("dialog ol.timeline small").all_inner_texts()
    assert {"back → not started", "usage recovery: better", "go live"} < set(told)
    assert "asked for usage_recovery: to no avail" in told


def test_no_day_is_broken_at_its_hyphens(open_page):
    page = open_page(viewport={"width": 1400, "height": 900})
    assert page.locator("#figures span.d").count() > 0
    assert page.evaluate(BROKEN_DAYS) == []


def test_figures_are_rounded_as_in_the_sentences(open_page):
    figures = [62.5, 63.5, 78.46, 1234.5]
    told = open_page().evaluate("figures => figures.map(whole)", figures)
    assert told == [f"{figure:,.0f}" for figure in figures]


def test_who_has_no_score_is_told_in_words(open_page):
    told = open_page().evaluate("head({ customer_id: 'x' }).querySelector('.score').textContent")
    assert told == "unknownno score"


def test_an_address_of_nobody_says_so(open_page):
    page = open_page("#customer=nobody")
    assert "No customer has the id nobody." in page.inner_text("dialog")


def test_a_name_with_markup_is_text_in_every_place(open_page):
    page = open_page("#customer=c002")
    assert page.locator("dialog h2").inner_text() == NASTY
    assert page.locator("img").count() == 0


def test_any_customer_is_found_by_name_or_state(open_page):
    page = open_page()
    page.fill("#customers-text", "c017")
    rows = page.locator("#customers-table tbody tr")
    assert rows.count() == 1
    rows.locator("a").click()
    page.wait_for_selector("dialog[open]")


def test_a_mark_of_a_chart_tells_its_figures(open_page):
    page = open_page()
    page.locator("#north-star .chart").first.scroll_into_view_if_needed()
    page.locator("#north-star [role=graphics-symbol][aria-label]").first.hover(force=True)
    page.locator("#tip", has_text="Week of ").wait_for()


def test_a_phone_scrolls_down_and_never_sideways(open_page):
    page = open_page(viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("#calls a.who:visible").first.click()
    page.wait_for_selector("dialog[open]")
    assert page.evaluate("document.querySelector('dialog').scrollWidth") <= PHONE["width"]


def test_the_head_of_the_queue_sums_the_rows_it_lists(open_page):
    page = open_page()
    said = page.inner_text("#queue .lead").replace(",", "")
    calls, due, saved = re.match(
        r"(\d+) customers to call this week: (\d+) EUR .* save (\d+) EUR", said
    ).groups()
    listed = [list(map(int, column(page, number))) for number in (6, 7)]
    assert int(calls) == len(listed[0])
    # Each row is rounded to a whole euro.
    assert abs(int(due) - sum(listed[0])) <= len(listed[0]) / 2
    assert abs(int(saved) - sum(listed[1])) <= len(listed[1]) / 2


def test_on_a_phone_the_first_call_begins_on_the_first_screen(open_page):
    page = open_page(viewport=PHONE)
    first = page.locator("#calls tbody tr:not(.group):visible").first
    assert first.bounding_box()["y"] < PHONE["height"]


def test_what_goes_on_sideways_fades_until_its_end(open_page):
    page = open_page(viewport=PHONE)
    nav = page.locator("nav > div")
    page.wait_for_selector("nav > div.cut")
    nav.evaluate("strip => strip.scrollLeft = strip.scrollWidth")
    page.wait_for_selector("nav > div:not(.cut)")
    page.locator(".wide.cut").first.wait_for(state="attached")
    wide = open_page()
    wide.evaluate("new Promise(drawn => requestAnimationFrame(() => setTimeout(drawn)))")
    assert wide.locator("nav > div.cut").count() == 0


@pytest.mark.parametrize("width", [390, 768, 900, 901, 1024, 1400])
def test_no_cell_of_the_queue_lies_over_its_neighbour(open_page, width):
    page = open_page(viewport={"width": width, "height": 900})
    page.check("#queue-cut")
    assert page.evaluate(OVERLAPS) == []


def test_bars_of_shares_leave_the_figures_free(open_page):
    page = open_page()
    assert page.evaluate(BARS_UNDER_FIGURES) == []


def test_print_shows_whole_tables_without_controls(open_page):
    page = open_page()
    page.select_option("#queue-csm", "Bo Lind")
    page.emulate_media(media="print")
    assert not page.locator("#queue-tools").is_visible()
    assert not page.locator("nav").is_visible()
    rows = page.locator("#calls tbody tr:not(.group)")
    assert rows.count() > 0
    assert all(row.is_visible() for row in rows.all())


def test_headings_that_sort_are_plain_text_on_paper(open_page):
    """Chromium leaves buttons out of the heads that it repeats on each sheet."""
    page = open_page()
    page.emulate_media(media="print")
    shown = "[...document.querySelectorAll('th button')].map(b => getComputedStyle(b).display)"
    assert set(page.evaluate(shown)) == {"contents"}


def test_text_has_contrast_in_light_and_dark(open_page):
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        faint = page.evaluate(FAINT_TEXTS)
        assert faint == [], scheme


# Texts of a row that touch the text of the cell beside them.
OVERLAPS = """() => {
  const box = cell => { const range = document.createRange(); range.selectNodeContents(cell)
    return range.getBoundingClientRect() }
  return [...document.querySelectorAll('#calls tbody tr:not(.group)')].flatMap(row => {
    const boxes = [...row.cells].filter(cell => cell.checkVisibility()).map(box)
    return boxes.slice(1).map((right, place) => [boxes[place], right])
      .filter(([left, right]) => right.left < left.right - 1 && right.left > left.left
        && right.top < left.bottom - 1 && left.top < right.bottom - 1)
      .map(() => row.textContent.trim().slice(0, 40))
  })
}"""
BROKEN_DAYS = """() => [...document.querySelectorAll('#figures span.d, small span.d')]
    .filter(day => day.getClientRects().length > 1).map(day => day.textContent)"""
BARS_UNDER_FIGURES = """() => [...document.querySelectorAll('#use td.bar')].filter(cell => {
  const range = document.createRange(); range.selectNodeContents(cell)
  const style = getComputedStyle(cell)
  const free = cell.clientWidth - 80
  const bar = 12 + free * parseFloat(style.getPropertyValue('--share'))
  return free < 40 || cell.getBoundingClientRect().left + bar > range.getBoundingClientRect().left
}).map(cell => cell.textContent)"""
FAINT_TEXTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const over = (colour, ground) => {
    canvas.fillStyle = `rgb(${ground})`; canvas.fillRect(0, 0, 1, 1)
    canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)]
  }
  const light = rgb => rgb.map(part => part / 255)
    .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0)
  const groundOf = element => {
    const around = element.parentElement ? groundOf(element.parentElement) : [255, 255, 255]
    return over(getComputedStyle(element).backgroundColor, around)
  }
  const faint = new Set()
  for (const element of document.querySelectorAll('main *, header *, nav *, footer *')) {
    const says = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())
    if (!says || element.closest('svg') || !element.checkVisibility()) continue
    const ground = groundOf(element)
    const pair = [light(over(getComputedStyle(element).color, ground)), light(ground)]
    const contrast = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05)
    if (contrast < 4.5) faint.add(`${element.tagName}.${element.className} ${contrast.toFixed(1)}`)
  }
  return [...faint]
}"""
