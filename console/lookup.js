// A form with one field that leads to the page of what it names.

import { element } from './dom.js';

export function lookupForm({ page, label, hint, value = '' }) {
  const id = `lookup-${page}`;
  const field = element('input', { id, name: 'text', required: true, value, autocomplete: 'off', spellcheck: 'false', maxlength: 1024, 'aria-describedby': `${id}-hint` });
  return element('form', { class: 'lookup', on: { submit: (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (text !== '') location.hash = `#/${page}/${encodeURIComponent(text)}`;
  } } },
  element('label', { for: id }, label), element('div', { class: 'row' }, field, element('button', { class: 'primary' }, 'Look up')),
  element('p', { class: 'small', id: `${id}-hint` }, hint));
}
