// What is shown where.

const quantile = (name, wide) => ({
  name, title: name, number: true, wide, value: (row) => row.latency_s?.[name], text: (row) => format.latency(row.latency_s?.[name]),
});
const plain = (name, title, more = {}) => ({ name, title, value: (row) => row[name], text: (row) => row[name] ?? NOTHING, ...more });
const number = (name, title, show, more = {}) => ({
  name, title, number: true, value: (row) => row[name], text: (row) => show(row[name]), ...more,
});
const long = () => 'long';
const HEALTH = { up: 'good', degraded: 'warn', down: 'bad', unknown: '' };
const STATES = { ready: 'good', serving: 'good', starting: 'warn', reloading: 'warn', draining: 'warn', killed: 'bad' };
const KINDS = {
  start: '', reload: 'good', resize: 'good', upgrade: 'good', stop: 'warn',
  reload_failed: 'bad', upgrade_failed: 'bad', crash: 'bad',
};

function routesTable() {
  return new DataTable(byId('routes'), {
    caption: 'Routes', sort: ['rate', true], empty: 'No route matches.',
    search: (row) => `${row.name} ${row.service || ''} ${row.pattern || ''} ${row.methods.join(' ')}`,
    columns: [
      plain('name', 'Route', { className: long }),
      plain('service', 'Service', { wide: true, className: long }),
      plain('pattern', 'Pattern', { wide: true, className: () => 'long mono' }),
      number('rate', 'req/s', format.rate),
      number('client_error_share', '4xx', format.share, { wide: true, className: (row) => (row.client_error_share > 0.5 ? 'warn' : '') }),
      number('error_share', '5xx', format.share, { className: (row) => (row.error_share > 0 ? 'bad' : '') }),
      quantile('p50', true), quantile('p95', true), quantile('p99'),
      number('requests', 'Requests', format.count, { extra: true }),
    ],
  });
}

function servicesTable() {
  return new DataTable(byId('services'), {
    caption: 'Services', sort: ['rate', true], step: 20, empty: 'No service matches.',
    search: (row) => `${row.name} ${row.health} ${row.endpoints.map((each) => each.url).join(' ')}`,
    columns: [
      plain('name', 'Service', { className: long }),
      { name: 'health', title: 'Health', value: (row) => ['down', 'degraded', 'up', 'unknown'].indexOf(row.health), text: (row) => row.health, pill: (row) => HEALTH[row.health] },
      { name: 'endpoint', title: 'Endpoint', wide: true, value: (row) => row.endpoints[0]?.url, text: (row) => row.endpoints.map((each) => each.url).join(' '), className: () => 'long mono' },
      number('rate', 'answers/s', format.rate),
      quantile('p50', true), { ...quantile('p95'), extra: true }, quantile('p99'),
      { name: 'connections', title: 'Conns', wide: true, hint: 'Connections in use + kept', number: true, value: (row) => row.connections_active + row.connections_idle, text: (row) => `${row.connections_active}+${row.connections_idle}` },
      number('connects', 'Connects', format.count, { extra: true }),
      { name: 'failures', title: 'Failures', hint: 'Connections and names that failed', number: true, value: (row) => row.connect_failures + row.resolve_failures, text: (row) => format.count(row.connect_failures + row.resolve_failures), className: (row) => (row.health === 'down' || row.health === 'degraded' ? 'bad' : '') },
      number('retries', 'Retries', format.count, { extra: true }),
    ],
  });
}

function workersTable() {
  return new DataTable(byId('workers'), {
    caption: 'Workers', sort: ['slot', false], step: 16, empty: 'There is no worker.',
    columns: [
      number('slot', 'Slot', String, { number: false }),
      number('pid', 'pid', String, { wide: true }),
      number('generation', 'Gen', String),
      plain('state', 'State', { pill: (row) => STATES[row.state] }),
      number('age_s', 'Age', format.age),
      number('connections', 'Conns', format.count),
      number('in_flight', 'In flight', format.count, { wide: true }),
      number('requests', 'Requests', format.count, { wide: true }),
      number('cpu_share', 'CPU', format.share, { className: (row) => (row.cpu_share > 0.9 ? 'warn' : '') }),
      number('resident_bytes', 'Memory', format.bytes),
    ],
  });
}

function errorsTable() {
  return new DataTable(byId('errors'), {
    caption: 'Recent errors', sort: ['last', true], step: 10, empty: 'None of late.',
    columns: [
      { ...number('last', 'Last', format.clock), number: false },
      plain('route', 'Route', { className: long }),
      plain('reason', 'Reason', { className: () => 'mono' }),
      number('count', 'Count', format.count),
    ],
  });
}

function exchangesTable() {
  return new DataTable(byId('exchanges'), {
    caption: 'Requests in flight', sort: ['age_s', true], step: 10, empty: 'Nothing is in flight.',
    columns: [
      number('age_s', 'Age', (s) => (s < 10 ? s.toFixed(1) + ' s' : format.age(s)), { number: false }),
      { name: 'path', title: 'Request', value: (row) => row.path, text: (row) => `${row.method} ${row.path}`, className: () => 'long mono' },
      plain('route', 'Route', { wide: true, className: long }),
      { name: 'phase', title: 'Phase', value: (row) => row.phase, text: (row) => row.phase.replace(/_/g, ' ') },
      plain('client', 'Client', { wide: true }),
    ],
  });
}

/** The numbers at the top. */
class Tiles {
  constructor() {
    this.set = definitions(byId('tiles'), ['Requests/s', '4xx', '5xx', 'p50', 'p95', 'p99', 'In flight', 'Connections', 'Tunnels', 'In', 'Out', 'Requests']);
  }

  show(now, requests) {
    const share = (code) => (now.request_rate > 0 ? now.class_rates[code] / now.request_rate : 0);
    const failed = share('5xx');
    this.set('Requests/s', format.rate(now.request_rate));
    this.set('4xx', withUnit(format.share(share('4xx'))), '', 'Share of all answers');
    this.set('5xx', withUnit(format.share(failed)), failed > 0.01 ? 'bad' : failed > 0 ? 'warn' : '', 'Share of all answers');
    for (const which of ['p50', 'p95', 'p99']) this.set(which, withUnit(format.latency(now.latency_s?.[which])));
    this.set('In flight', format.count(now.in_flight));
    this.set('Connections', format.count(now.connections));
    this.set('Tunnels', format.count(now.tunnels));
    this.set('In', withUnit(format.bytes(now.request_bytes_rate) + '/s'));
    this.set('Out', withUnit(format.bytes(now.response_bytes_rate) + '/s'));
    this.set('Requests', format.count(requests), '', 'Since the start');
  }
}

class Events {
  constructor() {
    this.list = byId('events').querySelector('ol');
    this.latest = 0;
  }

  show(events, announce) {
    for (const event of events) {
      if (event.number <= this.latest) continue;
      this.latest = event.number;
      this.list.prepend(el('li', { className: announce ? 'fresh' : '' },
        el('time', {}, format.clock(event.time)),
        el('span', { className: 'pill ' + (KINDS[event.kind] ?? '') }, event.kind.replace('_', ' ')),
        el('span', {}, event.text + (event.generation ? ` · generation ${event.generation}` : ''))));
    }
    while (this.list.children.length > 100) this.list.lastElementChild.remove();
  }

  /** The gateway is another one, with other numbers. */
  forget() {
    this.latest = 0;
    this.list.replaceChildren();
  }
}

/** What is in the way: a reload that failed. */
function showReload(report, generation, now) {
  const failed = report && report.result !== 'finished';
  byId('reload').hidden = !failed;
  if (!failed) return;
  const what = report.result === 'refused' ? 'was refused' : 'could not be taken into service';
  setText(byId('reload-title'), `The reload ${what}: generation ${generation} serves on`);
  setText(byId('reload-reason'), `${format.age(now - report.time)} ago, at ${format.clock(report.time)} · ${report.file}`
    + (report.diagnostics.length ? '' : ` · ${report.reason}`));
  byId('diagnostics').replaceChildren(...report.diagnostics.map((each) => el('li', {},
    el('span', { className: 'mono' }, each.file + (each.line ? `:${each.line}:${each.column}` : '')),
    ' ' + (each.key ? each.key + ': ' : '') + each.message)));
}

function showCrashes(crashes) {
  byId('crashes').hidden = crashes.length === 0;
  byId('crashes').querySelector('div').replaceChildren(...crashes.map((crash) => el('details', {},
    el('summary', {}, `${format.clock(crash.time)} · worker ${crash.slot} (pid ${crash.pid}, generation ${crash.generation}) `
      + `${crash.reason.replace('_', ' ')}: ${crash.signal || 'exit code ' + crash.exit_code}, after ${format.age(crash.age_s)}, `
      + `with ${crash.in_flight} requests in flight`),
    el('ul', {}, ...crash.requests.map((request) => el('li', {},
      el('span', { className: 'mono' }, `${request.method} ${request.path}`),
      ` · ${request.route} · ${request.phase.replace(/_/g, ' ')} · ${request.client}${request.suspect ? ' · the suspect' : ''}`))))));
}
