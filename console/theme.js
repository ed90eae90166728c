// Light or dark: as the system has it, or as chosen here. The choice is kept in this browser.

import { fill } from './dom.js';

const NAME = 'ordem-theme';
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' };
const LABELS = { auto: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };

const chosen = () => (localStorage.getItem(NAME) in NEXT ? localStorage.getItem(NAME) : 'auto');

export function wireTheme(button) {
  const show = () => {
    document.documentElement.dataset.theme = chosen();
    fill(button, LABELS[chosen()]);
  };
  button.addEventListener('click', () => {
    localStorage.setItem(NAME, NEXT[chosen()]);
    show();
  });
  show();
}
