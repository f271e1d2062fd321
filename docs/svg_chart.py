# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Charts with logarithmic or linear axes as SVG, with the standard library alone.

The same data give the same bytes: coordinates have one decimal, and nothing asks for the time.
The background is drawn, so that a chart reads the same on light and dark pages.
"""

import math
from xml.sax.saxutils import escape

HEADER = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
width="{width}" height="{height}" font-family="sans-serif" font-size="12" fill="#222">
<!-- Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions. -->
<!-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception -->
<title>{title}</title>
<rect width="{width}" height="{height}" fill="#fff"/>
<defs>
<circle id="c" r="3.5"/>
<path id="t" d="m0-4.6l4.2 7.6h-8.4z"/>
<path id="s" d="m-3.1-3.1h6.2v6.2h-6.2z"/>
<path id="d" d="m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z"/>
</defs>
"""
SHAPES = ["c", "t", "s", "d"]
# Told apart by most colour-blind readers as well.
COLORS = ["#0072b2", "#d55e00", "#009e73", "#aa4499", "#c39100", "#555555"]
SI = [(1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1, "")]


def quantity(value, unit):
    """"2.9 TB/s": three digits, with a prefix."""
    scale, prefix = next(((scale, prefix) for scale, prefix in SI if value >= scale), (1, ""))
    scaled = value / scale
    return f"{scaled:.4g} {prefix}{unit}" if scaled < 1000 else f"{scaled:.0f} {prefix}{unit}"


def at(value):
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def decades(least, most):
    """The powers of ten around some values."""
    return (10.0 ** math.floor(math.log10(least) + 1e-9),
            10.0 ** math.ceil(math.log10(most) - 1e-9))


class Axis:
    """From values to places between `start` and `end`."""

    def __init__(self, least, most, start, end, log=True):
        self.least, self.most, self.start, self.end, self.log = least, most, start, end, log

    def place(self, value):
        if self.log:
            part = math.log(value / self.least) / math.log(self.most / self.least)
        else:
            part = (value - self.least) / (self.most - self.least)
        return self.start + part * (self.end - self.start)

    def ticks(self):
        """Values with a label, and others with a line alone."""
        if not self.log:
            steps = round((self.most - self.least) / 0.1)
            return [(self.least + step * 0.1, step % 2 == 0) for step in range(steps + 1)]
        first = round(math.log10(self.least))
        found = [(10.0 ** power * digit, digit == 1)
                 for power in range(first, round(math.log10(self.most))) for digit in range(1, 10)]
        return found + [(self.most, True)]


class Panel:
    """A rectangle with two axes in a chart; what lies outside is cut off."""

    def __init__(self, chart, x, y, x_label, y_label, x_text, y_text):
        self.chart, self.x, self.y = chart, x, y
        chart.clips += 1
        self.clip = f"p{chart.clips}"
        left, right, top, bottom = x.start, x.end, y.end, y.start
        lines = {True: [], False: []}
        for value, labelled in x.ticks():
            place = at(x.place(value))
            lines[labelled].append(f"M{place} {at(top)}V{at(bottom)}")
            if labelled and x_text:
                chart.text(x.place(value), bottom + 17, x_text(value), anchor="middle")
        for value, labelled in y.ticks():
            place = y.place(value)
            lines[labelled].append(f"M{at(left)} {at(place)}H{at(right)}")
            if labelled:
                chart.text(left - 6, place + 4, y_text(value), anchor="end")
        for labelled, color in ((False, "#eee"), (True, "#ccc")):
            chart.add(f'<path d="{"".join(lines[labelled])}" stroke="{color}" fill="none"/>')
        rect = (f'<rect x="{at(left)}" y="{at(top)}" width="{at(right - left)}" '
                f'height="{at(bottom - top)}"')
        chart.add(f'{rect} fill="none" stroke="#888"/>',
                  f'<clipPath id="{self.clip}">{rect}/></clipPath>')
        if x_label:
            chart.text((left + right) / 2, bottom + 38, x_label, anchor="middle")
        chart.text(22, (top + bottom) / 2, y_label, anchor="middle", turn=-90)

    def line(self, points, color, dash="", width=1.5):
        """Through points of values."""
        path = "L".join(f"{at(self.x.place(x))} {at(self.y.place(y))}" for x, y in points)
        dash = f' stroke-dasharray="{dash}"' if dash else ""
        self.chart.add(f'<path clip-path="url(#{self.clip})" d="M{path}" stroke="{color}" '
                       f'stroke-width="{width}" fill="none"{dash}/>')

    def name_line(self, x, y, toward, text, color, anchor="", lift=5):
        """Above a line at (x, y), along its way to the point `toward`."""
        dx = self.x.place(toward[0]) - self.x.place(x)
        dy = self.y.place(toward[1]) - self.y.place(y)
        self.chart.text(self.x.place(x), self.y.place(y), text, anchor=anchor, color=color,
                        lift=lift, turn=math.degrees(math.atan2(dy, dx)))

    def ticks(self, points, color, length):
        """Short horizontal strokes."""
        path = "".join(f"M{at(self.x.place(x) - length / 2)} {at(self.y.place(y))}h{at(length)}"
                       for x, y in points)
        if path:
            self.chart.add(f'<path clip-path="url(#{self.clip})" d="{path}" stroke="{color}" '
                           'fill="none"/>')

    def dots(self, color, points):
        path = "".join(f"M{at(self.x.place(x))} {at(self.y.place(y))}h0" for x, y in points)
        self.chart.add(f'<path clip-path="url(#{self.clip})" d="{path}" stroke="{color}" '
                       'stroke-width="4.5" stroke-linecap="round" stroke-opacity=".5"/>')

    def points(self, shape, color, points):
        """(x, y, what a reader sees who points at it)."""
        self.chart.add(f'<g clip-path="url(#{self.clip})" fill="{color}" fill-opacity=".6" '
                       f'stroke="{color}" stroke-width=".7">')
        for x, y, text in points:
            self.chart.add(f'<use href="#{shape}" x="{at(self.x.place(x))}" '
                           f'y="{at(self.y.place(y))}"><title>{escape(text)}</title></use>')
        self.chart.add("</g>")


class Chart:
    def __init__(self, width, height, title, details):
        self.clips = 0
        self.lines = [HEADER.format(width=width, height=height, title=escape(title))]
        self.text(20, 26, title, size=16)
        for number, line in enumerate(details):
            self.text(20, 45 + 16 * number, line, color="#555")

    def add(self, *lines):
        self.lines += [line + "\n" for line in lines]

    def text(self, x, y, text, anchor="", color="", size=0, turn=0.0, lift=0):
        """`lift`: how far above the place that the text turns about; negative: below it."""
        more = f' text-anchor="{anchor}"' if anchor else ""
        more += f' fill="{color}"' if color else ""
        more += f' font-size="{size}"' if size else ""
        if turn or lift:
            more += f' transform="translate({at(x)} {at(y)}) rotate({at(turn)})" y="{-lift}"'
        else:
            more += f' x="{at(x)}" y="{at(y)}"'
        self.add(f"<text{more}>{escape(text)}</text>")

    def legend(self, x, y, entries):
        """Below each other: ("", heading), (shape, text, color) or (dash, text, color) of a line,
        whose dash starts with `-`."""
        for sign, text, *color in entries:
            if not sign:
                self.text(x, y + 8, text, color="#555")
                y += 8
            elif sign in SHAPES:
                self.add(f'<use href="#{sign}" x="{at(x + 9)}" y="{at(y)}" fill="{color[0]}"/>')
                self.text(x + 24, y + 4, text)
            else:
                dash = f' stroke-dasharray="{sign[1:]}"' if sign[1:] else ""
                self.add(f'<path d="M{at(x)} {at(y)}h18" stroke="{color[0]}" '
                         f'stroke-width="1.5"{dash}/>')
                self.text(x + 24, y + 4, text)
            y += 18

    def svg(self):
        return "".join(self.lines) + "</svg>\n"
