"""The frame of every report: one file that opens from disk, with words from one catalogue and pictures inside."""

from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from groundswell.data.table import Table
from groundswell.errors import UsageError
from groundswell.report.figures import style
from groundswell.report.language import Speaker, number, percent
from groundswell.report.page import Page, Picture, Section, Twin, render, write_page
from groundswell.report.svg import svg


class Reader(HTMLParser):
    """What a browser would load, the ids, and whether the tags close."""

    VOID = frozenset({"meta", "br", "img", "link", "input", "hr"})

    def __init__(self, text):
        super().__init__()
        self.ids, self.open, self.loads, self.text, self.tags = [], [], [], [], Counter()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.tags[tag] += 1
        self.ids += [values["id"]] if "id" in values else []
        self.loads += [values[k] for k in ("src", "href", "xlink:href", "data", "srcset") if k in values]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def drawn(heights=(1, 3, 2)):
    axes = style.panel(2.0)
    axes.plot(range(len(heights)), heights, label="a < b & c")
    axes.legend()
    return axes


def page(**changes):
    table = Table({"place": ["Hub", None], "events": [None, 12345.678], "share": [0.25, 1.0]})
    sections = [
        Section("first", "Cities & towns", ["Words <b>as said</b>."],
                [Picture(svg(drawn(), "one"), "A line.", "It rises")], [Twin(table, "The figures")], ["a note"]),
        Section("second", "Another", pictures=[Picture(svg(drawn(), "two"), "The same line.", 'It "falls"')],
                tables=[Twin(table, "Open", folded=False)], missing="Not run: make study-full"),
    ]  # fmt: skip
    made = {"title": "A < title", "subtitle": "Of a test", "answers": [("Who?", "Nobody.")], "sections": sections}
    return Page(**(made | changes))


def test_a_page_is_one_well_formed_file_that_loads_nothing():
    found = Reader(render(page(), Speaker()))
    assert found.open == []
    assert all(load.startswith("#") for load in found.loads)
    assert found.tags["script"] == found.tags["link"] == found.tags["img"] == 0
    assert {load[1:] for load in found.loads} <= set(found.ids)


def test_ids_are_unique_over_the_whole_page():
    found = Reader(render(page(), Speaker()))
    assert [i for i, count in Counter(found.ids).items() if count > 1] == []


def test_words_are_escaped_and_numbered():
    text = render(page(), Speaker())
    assert "Words &lt;b&gt;as said&lt;/b&gt;." in text
    assert "<title>A &lt; title</title>" in text
    assert 'aria-label="It &#34;falls&#34;"' in text
    assert text.index("Figure 1.") < text.index("Figure 2.")
    assert '<a href="#second">Another</a>' in text


def test_tables_show_numbers_by_one_rule_and_missing_values_as_a_dash():
    text = render(page(), Speaker())
    assert text.count('<td class="n">12,346</td>') == 2
    assert '<td class="n">0.25</td>' in text
    assert "<td>–</td>" in text
    assert text.count('<th scope="col" class="n">events</th>') == 2
    assert '<th scope="col">place</th>' in text


def test_a_flagged_run_says_so_before_it_answers():
    text = render(page(flags=["54 effective draws, below 200"]), Speaker())
    assert text.index("54 effective draws, below 200") < text.index("Nobody.")
    assert 'role="alert"' in text
    assert 'role="alert"' not in render(page(), Speaker())


def test_the_same_page_is_the_same_bytes_and_is_written_whole(tmp_path):
    path = write_page(page(), Speaker(), tmp_path / "out" / "report.html")
    assert path.read_text(encoding="utf-8") == render(page(), Speaker())
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_a_right_to_left_language_turns_the_page(monkeypatch):
    speaker = Speaker()
    monkeypatch.setattr(speaker, "language", "fa")
    assert '<html lang="fa" dir="rtl">' in render(page(), speaker)
    assert '<html lang="en" dir="ltr">' in render(page(), Speaker())


# --- pictures ---


def test_a_picture_is_the_same_text_every_time_without_clock_font_or_style():
    text = svg(drawn(), "one")
    assert text == svg(drawn(), "one")
    assert text.startswith("<svg")
    assert text.endswith("</svg>")
    for absent in ("<text", "<style", "<metadata", "<!--", "<?xml", "font-family"):
        assert absent not in text
    assert "width=" not in text[: text.index(">")]


def test_two_pictures_share_no_id_and_every_reference_has_its_target():
    one, two = (Reader(svg(drawn(), name)) for name in ("one", "two"))
    assert not set(one.ids) & set(two.ids)
    assert len(set(one.ids)) == len(one.ids)
    assert {load[1:] for load in one.loads} <= set(one.ids)


def test_a_name_that_cannot_begin_an_id_is_refused():
    with pytest.raises(UsageError, match='picture name "1 a"'):
        svg(drawn(), "1 a")


def test_drawing_leaves_the_users_settings_alone():
    import matplotlib

    before = dict(matplotlib.rcParams)
    svg(drawn(), "one")
    assert dict(matplotlib.rcParams) == before


# --- words ---


def test_a_missing_sentence_or_value_is_an_error_with_the_nearest():
    speaker = Speaker()
    with pytest.raises(UsageError, match=r'no sentence "page-figur".*Nearest name: "page-figure"'):
        speaker.say("page-figur")
    with pytest.raises(UsageError, match='sentence "page-figure"'):
        speaker.say("page-figure")
    with pytest.raises(UsageError, match=r'no report speaks "tlh"; known: .*en'):
        Speaker("tlh")


def test_the_catalogue_has_no_unreadable_entry():
    from importlib import resources

    from fluent.syntax import FluentParser
    from fluent.syntax.ast import Junk, Message

    text = (resources.files("groundswell.report") / "languages" / "en.ftl").read_text(encoding="utf-8")
    entries = FluentParser().parse(text).body
    assert [entry.content for entry in entries if isinstance(entry, Junk)] == []
    keys = [entry.id.name for entry in entries if isinstance(entry, Message)]
    assert [key for key, count in Counter(keys).items() if count > 1] == []


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.004321, "0.0043"), (0.25, "0.25"), (3.14159, "3.1"), (42.4, "42"), (142, "142"), (-142.6, "-143"),
     (3712, "3,710"), (42_000, "42,000"), (1_234_567, "1,230,000"), (6.01e30, "∞"), (-np.inf, "-∞")],
)  # fmt: skip
def test_numbers_are_written_by_one_rule(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0 %"), (0.004, "under 1 %"), (0.5, "50 %"), (0.996, "over 99 %"), (1, "100 %")]
)
def test_shares_are_never_rounded_to_certainty(share, text):
    assert percent(share) == text.replace(" %", "\u00a0%")
