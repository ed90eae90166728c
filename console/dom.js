// Builds elements. Data becomes text nodes and attributes only, never markup.

// Returns an element. `properties` are attributes, but for `on`, whose members are listeners by the name of their event, and for
// values that are true (present), false, null or undefined (absent). Children are nodes, texts, lists of them, or null for nothing.
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  setProperties(made, properties);
  made.append(...nodesOf(children));
  return made;
}

export function svgElement(tag, properties = {}, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  setProperties(made, properties);
  made.append(...nodesOf(children));
  return made;
}

// Replaces what is in an element.
export function fill(place, ...children) {
  place.replaceChildren(...nodesOf(children));
  return place;
}

function setProperties(to, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') {
      for (const [event, listener] of Object.entries(value)) to.addEventListener(event, listener);
    } else if (value === true) {
      to.setAttribute(name, '');
    } else if (value !== false && value !== null && value !== undefined) {
      to.setAttribute(name, String(value));
    }
  }
}

function nodesOf(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false)
    .map((child) => (child instanceof Node ? child : document.createTextNode(String(child))));
}
