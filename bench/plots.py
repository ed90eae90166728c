"""Line plots as inline SVG, with the standard library only."""

import math
from html import escape

WIDTH, HEIGHT = 860, 340
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 16, 48

# Distinguishable with any colour vision (Okabe and Ito), and by their dashes.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DASHES = ("", "7 3", "2 3", "9 3 2 3")


def colour_of(number):
    return COLOURS[number % len(COLOURS)]


def dash_of(number):
    return DASHES[number // len(COLOURS) % len(DASHES)] if number >= len(COLOURS) else DASHES[0]


class Axis:
    """Maps values to pixels. Ticks are (value, label) pairs."""

    def __init__(self, low, high, ticks, title, scale=lambda value: value):
        self.scale, self.ticks, self.title = scale, ticks, title
        self.low, self.high = scale(low), scale(high)

    def part(self, value):
        return (self.scale(value) - self.low) / ((self.high - self.low) or 1)


def x_pixel(axis, value):
    return LEFT + axis.part(value) * (WIDTH - LEFT - RIGHT)


def y_pixel(axis, value):
    return HEIGHT - BOTTOM - axis.part(value) * (HEIGHT - TOP - BOTTOM)


def number_text(number):
    return f"{number:,.0f}" if number >= 10 else f"{number:.3g}"


def linear_axis(high, title):
    """A scale from 0 to a round number at or above `high`."""
    step = 10 ** math.floor(math.log10(high)) if high > 0 else 1
    for finer in (5, 2):
        if high / step < 4:
            step = step / finer if high / (step / finer) <= 10 else step / 2
    top = math.ceil(high / step) * step if high > 0 else 1
    count = round(top / step)
    return Axis(0, top, [(i * step, number_text(i * step)) for i in range(count + 1)], title)


def log_axis(low, high, title):
    """A scale between the powers of ten below and above the values."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    last = max(last, first + 1)
    ticks = [(10.0**power, number_text(10.0**power)) for power in range(first, last + 1)]
    return Axis(10.0**first, 10.0**last, ticks, title, math.log10)


def nines_axis(samples):
    """A scale of shares 0..1 on which each nine has the same width. It ends where one of `samples` is left."""
    high = 1 - 1 / max(samples, 10)
    ticks = [(0, "0 %"), (0.5, "50 %"), (0.9, "90 %")]
    for nines in range(2, 10):
        share = 1 - 10.0**-nines
        if share <= high:
            ticks.append((share, f"{100 * share:.{max(nines - 2, 0)}f} %"))
    return Axis(0, high, ticks, "percentile", lambda share: -math.log10(max(1 - share, 1e-12)))


def frame(x, y):
    for value, label in y.ticks:
        at = y_pixel(y, value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{escape(label)}</text>'
    for value, label in x.ticks:
        at = x_pixel(x, value)
        yield f'<line class="grid" y1="{TOP}" y2="{HEIGHT - BOTTOM}" x1="{at:.1f}" x2="{at:.1f}"/>'
        yield f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{escape(label)}</text>'
    yield f'<text class="title" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(x.title)}</text>'
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield (
        f'<text class="title" transform="translate(16 {middle}) rotate(-90)" text-anchor="middle">{escape(y.title)}</text>'
    )


def plot(x, y, lines, description):
    """`lines`: for each line a list of (x, y) or (x, y, tip). Points with a tip have a marker, and show the tip under the pointer."""
    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(description)}">', *frame(x, y)]
    for number, points in enumerate(lines):
        colour, dash = colour_of(number), dash_of(number)
        places = " ".join(f"{x_pixel(x, point[0]):.1f},{y_pixel(y, point[1]):.1f}" for point in points)
        parts.append(
            f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"'
            + (f' stroke-dasharray="{dash}"' if dash else "")
            + "/>"
        )
        for point in points:
            if len(point) == 3:
                at = f'cx="{x_pixel(x, point[0]):.1f}" cy="{y_pixel(y, point[1]):.1f}"'
                parts.append(f'<circle {at} r="3.5" fill="{colour}"><title>{escape(point[2])}</title></circle>')
    return "\n".join([*parts, "</svg>"])
