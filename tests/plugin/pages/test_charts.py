import re
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from label_studio_crowd.pages.charts import Line, count_axis, histogram, line_chart, share_axis, time_axis

SHARES = st.floats(0, 1)


def drawn(chart):
    return ElementTree.fromstring(chart.svg)


def part(chart, classes):
    (found,) = [node for node in drawn(chart).iter("g") if node.get("class") == classes and len(node.findall("path"))]
    return found


def points_of(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d"))]


def accuracy(points, **more):
    lines = [Line("accuracy", points, band_name="interval", **more)]
    return line_chart("says", lines, count_axis("labels", [x for x, _ in points]), share_axis("share", [0.5]))


def test_a_chart_says_in_words_what_it_shows_and_has_its_numbers_as_a_table():
    chart = accuracy([(0, 0.8), (100, 0.9)], band=[(0, 0.7, 0.85), (100, 0.85, 0.95)])
    assert (drawn(chart).get("role"), drawn(chart).get("aria-label")) == ("img", "says")
    assert chart.columns == ("labels", "accuracy", "interval")
    assert [[cell.replace("\u00a0", " ") for cell in row] for row in chart.rows] == [
        ["0", "80.0 %", "70.0 % to 85.0 %"],
        ["100", "90.0 %", "85.0 % to 95.0 %"],
    ]
    assert [name for name, _ in chart.legend] == ["accuracy", "interval"]
    titles = [title.text.replace("\u00a0", " ") for title in drawn(chart).iter("title")]
    assert titles == ["0: 80.0 %", "100: 90.0 %"]


def test_lines_that_are_not_at_the_same_places_share_a_table():
    lines = [Line("one", [(0, 0.5), (2, 0.6)]), Line("other", [(1, 0.7)], "second", dashed=True)]
    chart = line_chart("", lines, count_axis("labels", [2]), share_axis("share", [0.5]))
    assert [row[0] for row in chart.rows] == ["0", "1", "2"]
    assert [row[2] != "" for row in chart.rows] == [False, True, False]


def test_higher_is_higher_and_later_is_further():
    first, last = points_of(part(accuracy([(0, 0.6), (50, 0.9)]), "line first").find("path"))
    assert first[0] < last[0]
    assert first[1] > last[1]  # counted from above


@given(st.lists(st.tuples(SHARES, SHARES, SHARES).map(sorted), min_size=2, max_size=12))
def test_a_line_is_within_its_band_and_both_are_within_the_picture(rows):
    points = [(float(at), mean) for at, (_, mean, _) in enumerate(rows)]
    band = [(float(at), low, high) for at, (low, _, high) in enumerate(rows)]
    lowest = min(low for low, _, _ in rows)
    chart = line_chart(
        "", [Line("mean", points, band=band)], count_axis("labels", [len(rows)]), share_axis("share", [lowest])
    )
    line = points_of(part(chart, "line first").find("path"))
    around = points_of(part(chart, "band first").find("path"))
    upper, lower = around[: len(rows)], around[: len(rows) - 1 : -1]
    for (x, y), (_, top), (_, bottom) in zip(line, upper, lower, strict=True):
        assert top - 0.2 <= y <= bottom + 0.2
        assert 0 <= x <= 600
        assert 0 <= top <= bottom <= 270


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 10_000)), min_size=3, max_size=3))
def test_bars_are_as_high_as_their_counts(counts):
    parts = [("settled", [a for a, _ in counts]), ("open", [b for _, b in counts])]
    totals = [a + b for a, b in counts]
    chart = histogram("", [0.0, 0.1, 0.2, 0.3], parts, share_axis("quality", [0.0]), count_axis("tasks", totals))
    settled, whole = {}, {}
    for node in drawn(chart).iter("g"):
        for bar in node.iter("rect") if node.get("class") in ("bar first", "bar second") else ():
            heights = settled if node.get("class") == "bar first" else whole
            heights[float(bar.get("x"))] = float(bar.get("height"))
    assert len(settled) == sum(a > 0 for a, _ in counts)
    assert len(whole) == sum(b > 0 for _, b in counts)
    tall = [height for height, (_, b) in zip(sorted(whole.values()), sorted(counts), strict=False) if b]
    assert tall == sorted(tall)
    assert [row[1:] for row in chart.rows] == [(f"{a:,}", f"{b:,}") for a, b in counts]


def test_the_same_numbers_are_the_same_bytes():
    points = [(0, 0.8), (100, 0.9)]
    assert accuracy(points) == accuracy(points)


def test_a_chart_brings_no_style_script_or_address_of_its_own():
    chart = accuracy([(0, 0.8), (100, 0.9)], band=[(0, 0.7, 0.9), (100, 0.8, 0.95)])
    assert not re.search(r"<style|<script|style=|http|xlink|<!--|id=", chart.svg)


def test_text_is_escaped():
    chart = accuracy([(0, 0.8), (1, 0.9)])
    hostile = line_chart('"><script>', [Line("<b>", [(0, 0.5)])], count_axis("labels", [0]), share_axis("share", [0.5]))
    assert "<script>" not in hostile.svg
    assert drawn(hostile).get("aria-label") == '"><script>'
    assert drawn(chart).tag == "svg"


@pytest.mark.parametrize(
    ("lowest", "words"),
    [
        (0.6, ["60 %", "70 %", "80 %", "90 %", "100 %"]),
        (0.973, ["97 %", "98 %", "99 %", "100 %"]),
        (0.996, ["99.6 %", "99.7 %", "99.8 %", "99.9 %", "100.0 %"]),
    ],
)
def test_no_two_marks_of_an_axis_read_the_same(lowest, words):
    chart = line_chart(
        "", [Line("x", [(0, lowest), (1, 1.0)])], count_axis("labels", [1]), share_axis("share", [lowest])
    )
    y = next(node for node in drawn(chart).iter("g") if node.get("class") == "axis y")
    assert [text.text.replace("\u00a0", " ") for text in y.iter("text")] == words


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.01, "12:00"), (0.1, "12:00"), (20, "18:00"), (60, "16 Jan 00:00"), (24 * 40, "11 Feb"), (24 * 800, "Aug 2027")],
)
def test_times_are_written_as_finely_as_they_are_apart(hours, words):
    begin = 1_800_014_400.0  # 15 January 2027, noon
    times = [begin, begin + 3600 * hours]
    chart = line_chart("", [Line("x", [(at, 0.5) for at in times])], time_axis(times), share_axis("share", [0.5]))
    x = next(node for node in drawn(chart).iter("g") if node.get("class") == "axis x")
    marks = [text.text for text in x.iter("text")]
    assert words in marks
    assert len(marks) == len(set(marks)) <= 7
    assert chart.rows[0][0] == "15 Jan 2027, 12:00"


def test_times_are_those_of_the_readers_zone_and_marks_are_at_its_midnights():
    begin = 1_800_014_400.0  # 15 January 2027, noon in UTC
    times = [begin, begin + 86400 * 4]
    axis = time_axis(times, ZoneInfo("Asia/Kolkata"))
    chart = line_chart("", [Line("x", [(at, 0.5) for at in times])], axis, share_axis("share", [0.5]))
    x = next(node for node in drawn(chart).iter("g") if node.get("class") == "axis x")
    assert [text.text for text in x.iter("text")] == ["16 Jan", "17 Jan", "18 Jan", "19 Jan"]
    assert chart.rows[0][0] == "15 Jan 2027, 17:30"
    assert chart.x_title == "time (Asia/Kolkata)"


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="no point to draw"):
        line_chart("", [Line("x", [])], count_axis("labels", [1]), share_axis("share", [0.5]))
    with pytest.raises(ValueError, match="one count less"):
        histogram("", [0.0, 1.0], [("tasks", [1, 2])], share_axis("quality", [0.0]), count_axis("tasks", [2]))
