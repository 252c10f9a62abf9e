// The few things that are done to the document. Text is only ever set as text.

const byId = (id) => document.getElementById(id);

/** An element: el('td', { className: 'number' }, 'text', child…). */
function el(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** Sets what differs: a browser has to lay out anew whatever is set. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

/** A list of terms and values that stay where they are: returns set(name, text, className). */
function definitions(list, names, unit = () => null) {
  const cells = new Map();
  for (const name of names) {
    const value = document.createTextNode(NOTHING);
    const more = el('span', {}, unit(name) || '');
    const box = el('div', {}, el('dt', {}, name), el('dd', {}, value, more));
    list.append(box);
    cells.set(name, { box, value, more });
  }
  return (name, text, className = '', hint = '') => {
    const { box, value, more } = cells.get(name);
    const [number, suffix] = Array.isArray(text) ? text : [text, ''];
    if (value.data !== number) value.data = number;
    setText(more, suffix);
    setClass(box, className);
    if (box.title !== hint) box.title = hint;
  };
}

/** "12.3 ms" → ["12.3", "ms"]: a tile shows the unit smaller. */
function withUnit(text) {
  const at = text.indexOf(' ');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
