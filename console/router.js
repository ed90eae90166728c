// Which page the address names: #/page/name?query.

// Returns { page, name, query }; `name` is decoded, and empty if there is none.
export function routeOf(hash) {
  const [path, query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [page, ...rest] = path.split('/');
  let name = rest.join('/');
  try {
    name = decodeURIComponent(name);
  } catch {
    // A percent sign that encodes nothing stands for itself.
  }
  return { page: page || 'now', name, query: new URLSearchParams(query) };
}

// Returns the hash for a page with the parameters that have a value.
export function hashOf(page, parameters) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  return `#/${page}${query.size > 0 ? `?${query}` : ''}`;
}
