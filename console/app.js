// Starts the console: wires the header, watches the engine, and shows the page that the address names.

import { wireBanner } from './banner.js';
import * as captures from './captures-page.js';
import { element, fill } from './dom.js';
import * as feed from './feed-page.js';
import * as find from './find-page.js';
import * as health from './health-page.js';
import * as messages from './message-page.js';
import { monitor } from './monitor.js';
import * as now from './now-page.js';
import * as orders from './order-page.js';
import { routeOf } from './router.js';
import * as search from './search-page.js';
import { onSession } from './session.js';
import { wireSignIn } from './sign-in.js';
import { wireTheme } from './theme.js';

const PAGES = { now, feed, search, orders, messages, captures, health, find };

const place = document.getElementById('page');
let leaving = new AbortController();

function showPage({ focus }) {
  const route = routeOf(location.hash);
  const page = PAGES[route.page];
  leaving.abort();
  leaving = new AbortController();
  for (const item of document.querySelectorAll('nav a')) {
    const isHere = item.hash === `#/${route.page}`;
    if (isHere) {
      item.setAttribute('aria-current', 'page');
      item.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else {
      item.removeAttribute('aria-current');
    }
  }
  document.title = `${page?.title ?? 'Not found'}${route.name ? ` ${route.name}` : ''} - Ordem`;
  if (page === undefined) {
    fill(place, element('h1', {}, 'No such page'), element('p', {}, element('a', { href: '#/now' }, 'Now')));
  } else {
    page.show(place, route, leaving.signal);
  }
  if (focus) {
    place.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

document.querySelector('.skip').addEventListener('click', (event) => {
  event.preventDefault();
  place.focus();
});
document.getElementById('find').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = new FormData(event.target).get('text').trim();
  if (text !== '') location.hash = `#/find/${encodeURIComponent(text)}`;
});
wireTheme(document.getElementById('theme'));
wireSignIn(document.getElementById('sign-in'));
wireBanner(document.getElementById('banner'));
addEventListener('hashchange', () => showPage({ focus: true }));
// What one person may read is not left on the page for the next one.
onSession(() => showPage({ focus: false }));
showPage({ focus: false });
monitor.run(new AbortController().signal);
