# SPDX-License-Identifier: BSD-3-Clause
"""The page, as a browser shows it."""

import re

import pytest

from browser import DESKTOP, PHONE, PROGRAM, Browser
from minidad_analysis import read_run
from minidad_analysis.report import break_even_rows, write_report

FIGURES = {
    "all-loss-step", "all-loss-bytes", "all-loss-time", "all-accuracy-step", "all-accuracy-bytes",
    "all-accuracy-time", "all-break-even", "run0-rank-01", "run0-stable-rank", "run0-entropy-rank",
    "run0-bytes-by-layer", "run0-time-by-rank", "run0-time-over-steps",
    *(f"run0-{kind}-layer{layer}" for kind in ("spectrum", "energy", "classes") for layer in range(3)),
}  # fmt: skip


@pytest.fixture(scope="module")
def page(real_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report([read_run(real_file)], path)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    assert PROGRAM, "these tests need chromium"
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_page_shows_all_without_a_network(page, browser, size, dark):
    browser.open(page, size, dark)
    assert browser.console == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.as_uri()]
    shown = browser.evaluate(
        "Object.fromEntries([...document.querySelectorAll('figure')].map(f => [f.id, f.querySelector('svg')"
        ".getBoundingClientRect().width]))"
    )
    assert set(shown) == FIGURES
    assert all(300 < width <= size[0] for width in shown.values())
    assert browser.evaluate("document.documentElement.scrollWidth") <= size[0]  # nothing sticks out
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (paper == "rgb(255, 255, 255)") != dark


def test_texts_of_figures_are_readable(page, browser):
    """No smaller than 9 pixels, on a phone too, and light on dark where the page is dark."""
    for size in (DESKTOP, PHONE):
        browser.open(page, size, dark=True)
        sizes = browser.evaluate(
            "[...document.querySelectorAll('figure svg')].flatMap(s => { const scale = s.getBoundingClientRect().width"
            " / s.viewBox.baseVal.width; return [...s.querySelectorAll('text')].map(t =>"
            " scale * parseFloat(getComputedStyle(t).fontSize)); })"
        )
        assert len(sizes) > 100 and min(sizes) >= 8.5
    inks = browser.evaluate(
        "[...new Set([...document.querySelectorAll('figure svg text')].map(t => getComputedStyle(t).fill))]"
    )
    for ink in inks:
        assert sum(map(int, re.findall(r"\d+", ink)[:3])) > 3 * 128, inks


def middle_of(browser, figure):
    """Of its drawing, in the window."""
    return browser.evaluate(
        f"(() => {{ const f = document.getElementById('{figure}'); f.scrollIntoView({{block: 'center'}});"
        "const r = f.querySelector('svg').getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; })()"
    )


def tip_of(browser, figure):
    return browser.evaluate(f"(document.querySelector('#{figure} .tip') || {{}}).innerText || ''")


@pytest.mark.parametrize(
    "figure, said",
    [
        ("all-loss-step", r"step [\d,]+\ndad: [\d.]+"),
        ("run0-rank-01", r"step [\d,]+\nlayer0 dense 48 relu: [\d.]+"),
        ("run0-spectrum-layer0", r"step [\d,]+\nplace of the singular value \d+: [\d.]+"),
        ("run0-bytes-by-layer", r"layer\d.*\n(allgatherv|allreduce): [\d,]+"),
        ("run0-time-by-rank", r"rank [01]\nforward: [\d.]+"),
    ],
)
def test_pointer_reads_values(page, browser, figure, said):
    browser.open(page, DESKTOP)
    x, y, width, height = middle_of(browser, figure)
    browser.mouse("mouseMoved", x + 0.42 * width, y + 0.5 * height)
    assert re.match(said, tip_of(browser, figure)), tip_of(browser, figure)
    browser.mouse("mouseMoved", 1, 1)
    assert tip_of(browser, figure) == ""


def test_a_finger_reads_values(page, browser):
    browser.open(page, PHONE)
    x, y, width, height = middle_of(browser, "all-loss-step")
    touch = [{"x": x + 0.5 * width, "y": y + 0.5 * height}]
    browser.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=touch)
    assert re.match(r"step [\d,]+\ndad: [\d.]+", tip_of(browser, "all-loss-step"))
    assert browser.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_dragging_looks_closer(page, browser):
    browser.open(page, DESKTOP)
    figure = "all-loss-step"
    x, y, width, height = middle_of(browser, figure)
    ticks = (
        f"[...document.querySelectorAll('#{figure} .redrawn text')].map(t => Number(t.textContent.replace(',', '')))"
    )
    assert browser.evaluate(ticks) == []
    at = y + 0.5 * height
    browser.mouse("mousePressed", x + 0.4 * width, at, button="left", clickCount=1, buttons=1)
    browser.mouse("mouseMoved", x + 0.6 * width, at, buttons=1)
    browser.mouse("mouseReleased", x + 0.6 * width, at, button="left", clickCount=1)
    steps = [tick for tick in browser.evaluate(ticks) if tick > 10]
    assert len(steps) >= 2 and max(steps) - min(steps) < 400  # of 790
    browser.evaluate(f"document.querySelector('#{figure} .reset').click()")
    assert browser.evaluate(ticks) == []
    assert browser.console == []


def test_page_asks_for_nothing(page):
    """No address but those that name XML's vocabularies, and a policy that would forbid it."""
    text = page.read_text()
    assert set(re.findall(r"https?://[^\s\"'<)]+", text)) <= {
        "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink",
    }  # fmt: skip
    assert "default-src 'none'" in text
    keys = re.findall(r'(?<=\s)id="([^"]+)"', text)
    assert len(keys) == len(set(keys))


def test_same_runs_make_the_same_page(real_file, page, tmp_path):
    write_report([read_run(real_file)], tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == page.read_text()


def test_several_runs_are_compared(make_run, command, tmp_path):
    runs = [make_run("dsgd.h5", method="dsgd", bytes_per_step=7e6), make_run("dad.h5", version="1.1", probe=True)]
    page = tmp_path / "both.html"
    result = command("report", *runs, "-o", page)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{page}\n", "")
    text = page.read_text()
    for part in ("<h2>Comparison</h2>", 'id="all-pareto"', 'id="run0-time-by-rank"', 'id="run1-spectrum-layer0"'):
        assert part in text
    assert "beats dSGD up to" in text and " *</td>" not in text


def test_report_is_written_beside_the_run(make_run, command):
    run = make_run("good.h5", change=lambda file: file.move("provenance/version", "provenance/<b>&"))
    result = command("report", run)
    assert result.stdout == f"{run.with_suffix('.html')}\n"
    text = run.with_suffix(".html").read_text()
    assert "&lt;b&gt;&amp;" in text and "train with probe.every &gt; 0" in text


def test_incomplete_and_short_runs_are_reported(make_run, tmp_path):
    runs = [
        read_run(make_run("live.h5.tmp", complete=False), allow_incomplete=True),
        read_run(make_run("one.h5", steps=(10,), method="dsgd")),
    ]
    write_report(runs, tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert "1 of 2 not complete" in text and 'id="all-loss-step"' in text
    write_report(runs[1:], tmp_path / "page.html")
    assert "one record only" in (tmp_path / "page.html").read_text()


def test_break_even_rows(make_run):
    runs = [read_run(make_run("dsgd.h5", method="dsgd")), read_run(make_run("dad.h5"))]
    header, dsgd, dad = break_even_rows(runs)
    assert header[4] == "beats dSGD up to" and dsgd[4] == "-" and dad[4] == "none"  # same bytes, same time
    assert dad[5:] == ("1.00 x", "1.00 x", "1.00 x")
