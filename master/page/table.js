// A table that is sorted by its heads' buttons, searched, and shows only so many rows: with thousands of them a browser
// has to look after a few dozen.

class DataTable {
  /**
   * `columns`: [{ name, title, value(row), text(row), number, className(row), wide, extra, hint }]; wide ones are
   * left out on a phone, extra ones on a tablet too. A column is sorted by value(). `search(row)`: the text that is
   * searched; none: no search. `sort`: [name, descending].
   */
  constructor(section, { caption, columns, search, sort, step = 50, empty }) {
    Object.assign(this, { columns, search, step, most: step, rows: [], order: [], held: false, query: [] });
    this.texts = new Map();
    [this.sorted, this.descending] = sort;
    this.body = el('tbody');
    this.heads = columns.map((column) => this.head(column));
    this.count = el('span', { className: 'count', 'aria-live': 'off' });
    const bar = el('div', { className: 'bar' }, section.querySelector('h2'), this.count);
    if (search) bar.append(this.searchField(caption));
    this.empty = el('p', { className: 'empty' }, empty);
    this.more = el('button', { className: 'more', type: 'button', hidden: true }, 'Show more');
    this.more.addEventListener('click', () => {
      this.most += 2 * this.step;
      this.show();
    });
    const table = el('table', {}, el('caption', {}, caption), el('thead', {}, el('tr', {}, ...this.heads)), this.body);
    section.append(bar, el('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': caption }, table), this.empty, this.more);
    // Rows do not move under the pointer.
    this.body.addEventListener('pointerenter', (event) => { this.held = event.pointerType === 'mouse'; });
    this.body.addEventListener('pointerleave', () => { this.held = false; });
  }

  head(column) {
    const button = el('button', { type: 'button' }, column.title);
    const head = el('th', { scope: 'col', className: this.classOf(column), title: column.hint || '' }, button);
    if (column.name === this.sorted) head.ariaSort = this.descending ? 'descending' : 'ascending';
    button.addEventListener('click', () => {
      // Numbers are asked for from the top, names from A.
      this.descending = this.sorted === column.name ? !this.descending : Boolean(column.number);
      this.sorted = column.name;
      this.columns.forEach((each, at) => {
        if (each.name === column.name) this.heads[at].ariaSort = this.descending ? 'descending' : 'ascending';
        else this.heads[at].removeAttribute('aria-sort');
      });
      this.arrange();
      this.show();
    });
    return head;
  }

  searchField(caption) {
    const input = el('input', { type: 'search', placeholder: 'Search', spellcheck: false, autocomplete: 'off' });
    input.addEventListener('input', () => {
      this.query = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      this.most = this.step;
      this.arrange();
      this.show();
    });
    input.setAttribute('aria-label', 'Search ' + caption.toLowerCase());
    return el('label', {}, input);
  }

  classOf(column) {
    return [column.number ? 'number' : '', column.wide ? 'wide' : '', column.extra ? 'wide extra' : ''].filter(Boolean).join(' ');
  }

  /** Other rows, or the same with other values. */
  set(rows) {
    const same = rows === this.rows;
    if (!same) this.texts.clear();
    this.rows = rows;
    if (!same || !this.held) this.arrange();
    this.show();
  }

  matches(row) {
    if (this.query.length === 0) return true;
    let text = this.texts.get(row);
    if (text === undefined) this.texts.set(row, text = this.search(row).toLowerCase());
    return this.query.every((word) => text.includes(word));
  }

  arrange() {
    const { value } = this.columns.find((column) => column.name === this.sorted);
    const sign = this.descending ? -1 : 1;
    const keyed = [];
    this.rows.forEach((row, at) => {
      if (this.matches(row)) keyed.push({ row, at, key: value(row) });
    });
    keyed.sort((a, b) => {
      if (a.key === b.key) return a.at - b.at;
      if (a.key == null) return 1;  // what there is no number of comes last, whichever way
      if (b.key == null) return -1;
      return a.key < b.key ? -sign : sign;
    });
    this.order = keyed.map((entry) => entry.row);
  }

  show() {
    const shown = this.order.slice(0, this.most);
    shown.forEach((row, at) => this.fill(this.body.rows[at] || this.body.appendChild(this.line()), row));
    while (this.body.rows.length > shown.length) this.body.lastElementChild.remove();
    const left = this.order.length - shown.length;
    this.more.hidden = left === 0;
    if (left > 0) setText(this.more, `Show ${Math.min(left, 2 * this.step)} more of ${whole.format(left)}`);
    this.empty.hidden = this.order.length > 0;
    const total = whole.format(this.rows.length);
    setText(this.count, this.query.length > 0 ? `${whole.format(this.order.length)} of ${total}` : total);
  }

  line() {
    return el('tr', {}, ...this.columns.map((column) => el('td', { className: this.classOf(column) })));
  }

  fill(line, row) {
    this.columns.forEach((column, at) => {
      const cell = line.cells[at];
      const text = column.text(row);
      if (column.pill) {
        if (!cell.firstChild) cell.append(el('span'));
        setText(cell.firstChild, text);
        setClass(cell.firstChild, 'pill ' + column.pill(row));
        return;
      }
      setText(cell, text);
      const extra = column.className ? column.className(row) : '';
      setClass(cell, [this.classOf(column), extra, column.number && (text === '0' || text === NOTHING) ? 'zero' : '']
        .filter(Boolean).join(' '));
      if (extra.includes('long') && cell.title !== text) cell.title = text;
    });
    setClass(line, row.fresh ? 'fresh' : '');
  }
}
