"""The documentation as built, in a browser and from disk, with the network cut off. `make test-docs` builds it first."""

import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from cdp import Browser

SITE = Path(os.environ.get("GDBENCH_SITE") or Path(__file__).parents[2] / "docs" / "_build" / "html")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").is_file(), reason="the documentation is not built: make test-docs"),
]


class Page(HTMLParser):
    """The addresses and anchors of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.anchors |= {found[key] for key in ("id", "name") if found.get(key)}
        # what a page loads by itself, and where it leads
        self.links += [found[key] for key in ("href", "src") if found.get(key) and found.get("rel") != "canonical"]


def pages() -> list[Path]:
    return sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)


@pytest.fixture(scope="module")
def tab(browser):
    with Browser(browser) as opened:
        yield opened


def test_the_site_is_whole():
    names = {path.relative_to(SITE).as_posix() for path in pages()}
    assert {"index.html", "start.html", "suites.html", "api/optimizers.html", "extend/loss.html", "glossary.html"} <= names
    assert len([name for name in names if name.startswith("gallery/plot_")]) >= 12


def test_every_link_within_the_site_leads_somewhere():
    read = {path.resolve(): Page(path) for path in pages()}
    assert len(read) > 40
    lost = []
    for path, page in read.items():
        for link in map(urlsplit, page.links):
            if link.scheme or link.netloc:
                continue
            target = (path.parent / unquote(link.path)).resolve() if link.path else path
            if not target.exists() or (link.fragment and target in read and unquote(link.fragment) not in read[target].anchors):
                lost.append((path.name, link.geturl()))
    # the theme's own: to the top of the page, and a switch that a script serves
    assert [one for one in lost if one[1] not in ("#", "#top", "#pst-back-to-top")] == []


@pytest.mark.browser
def test_every_page_opens_from_disk_and_asks_nothing_of_the_network(tab):
    for path in pages():
        tab.open(path)
        assert tab.complaints() == [], path.name
        assert tab.requests() == [], path.name
        assert tab.run("[...document.images].every(i => !i.complete || i.naturalWidth > 0)"), path.name


@pytest.mark.browser
def test_the_search_works_from_disk(tab):
    tab.call("Page.navigate", url=(SITE / "search.html").resolve().as_uri() + "?q=momentum")
    tab.wait("document.querySelectorAll('#search-results li a').length > 3")
    assert "Momentum" in tab.run("document.querySelector('#search-results').innerText")
