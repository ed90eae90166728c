// What changed between two versions of an order. Pure functions.

const NOT_COMPARED = ['version', 'updated_at', 'created_at', 'order_id', 'actor', 'merged_from'];

// Returns [[field, before, after], ...] for the fields that differ, in their order; a side without the field is undefined. Items are
// compared by their sku, if no sku occurs twice.
// `money` makes a text of an amount in minor units and a currency.
export function changesBetween(before, after, money) {
  const old = fieldsOf(before, money);
  const made = fieldsOf(after, money);
  return [...new Set([...old.keys(), ...made.keys()])]
    .filter((field) => JSON.stringify(old.get(field)) !== JSON.stringify(made.get(field)))
    .map((field) => [field, old.get(field), made.get(field)]);
}

// Returns the values of an order by the paths of their fields.
function fieldsOf(order, money) {
  const fields = new Map();
  for (const [name, value] of Object.entries(order)) {
    if (NOT_COMPARED.includes(name)) continue;
    if (name === 'items') {
      itemsOf(value, (price) => money(price, order.currency), fields);
    } else if (name === 'total') {
      fields.set(name, money(value, order.currency));
    } else {
      flatten(name, value, fields);
    }
  }
  return fields;
}

function itemsOf(items, price, fields) {
  const skus = items.map(({ sku }) => sku);
  const isUnique = new Set(skus).size === skus.length;
  items.forEach((item, at) => {
    const name = isUnique ? `item ${item.sku}` : `item ${at + 1}`;
    fields.set(name, isUnique ? `${item.quantity} × ${price(item.unit_price)}` : `${item.sku}: ${item.quantity} × ${price(item.unit_price)}`);
  });
}

function flatten(name, value, fields) {
  const isObject = value !== null && typeof value === 'object' && !Array.isArray(value);
  if (!isObject || Object.keys(value).length === 0) {
    fields.set(name, value);
    return;
  }
  for (const [member, inside] of Object.entries(value)) flatten(`${name}.${member}`, inside, fields);
}
