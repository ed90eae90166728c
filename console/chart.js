// A line chart of the last minutes, as SVG.

import { element, fill, svgElement } from './dom.js';

const WIDTH = 360;
const HEIGHT = 110;
const GAP_MS = 5000;

// Returns a nice upper bound for an axis: 1, 2 or 5 times a power of ten.
export function axisMax(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * 0.999);
}

// Returns the path of a line through points [time in ms, value] over the last `span` ms. A null value interrupts it, and so does a
// time without points.
export function pathOf(points, max, span) {
  const end = points.at(-1)?.[0];
  let path = '';
  let before = -Infinity;
  for (const [at, value] of points) {
    if (value === null || value === undefined) {
      before = -Infinity;
      continue;
    }
    const x = Math.max(0, WIDTH - ((end - at) / span) * WIDTH);
    const y = HEIGHT - Math.min(value / max, 1) * HEIGHT;
    path += `${at - before <= GAP_MS ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
    before = at;
  }
  return path;
}

// Makes a chart of the last `span` ms. `lines` are { name, of } with `of` from figures to a value; `show` makes the text of a value.
// Returns { node, update }, of which update(figures) shows these.
export function chart({ title, lines, show, span, note = null }) {
  const paths = lines.map((_, at) => svgElement('path', { class: `line line-${at + 1}`, 'vector-effect': 'non-scaling-stroke' }));
  const picture = svgElement('svg', { viewBox: `0 -2 ${WIDTH} ${HEIGHT + 4}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': title },
    [0, HEIGHT / 2, HEIGHT].map((y) => svgElement('line', { class: 'grid', x1: 0, x2: WIDTH, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' })), paths);
  const values = lines.map(() => element('span', { class: 'value' }, '–'));
  const [top, middle] = [element('span', {}), element('span', {})];
  const node = element('figure', { class: 'chart' },
    element('figcaption', {}, title, note ? element('small', {}, note) : null),
    element('div', { class: 'legend' }, lines.map(({ name }, at) => element('span', {}, element('i', { class: `key line-${at + 1}` }), `${name} `, values[at]))),
    element('div', { class: 'plot' }, element('div', { class: 'axis', 'aria-hidden': 'true' }, top, middle, element('span', {}, '0')), picture),
    element('div', { class: 'times', 'aria-hidden': 'true' }, element('span', {}, `${Math.round(span / 60_000)} min ago`), element('span', {}, 'now')));
  return {
    node,
    update(figures) {
      const series = lines.map(({ of }) => figures.map(of));
      const max = axisMax(Math.max(0, ...series.flat().filter((value) => value !== null && value !== undefined)));
      series.forEach((each, at) => {
        paths[at].setAttribute('d', pathOf(each.map((value, place) => [figures[place].at, value]), max, span));
        fill(values[at], show(each.at(-1) ?? null));
      });
      fill(top, show(max));
      fill(middle, show(max / 2));
      picture.setAttribute('aria-label', `${title}: ${lines.map(({ name }, at) => `${name} ${show(series[at].at(-1) ?? null)}`).join(', ')}`);
    },
  };
}
