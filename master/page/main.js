// The page: what it knows, and how that changes.

class Page {
  constructor(gateway) {
    this.gateway = gateway;
    this.points = [];
    this.events = [];
    this.status = null;
    this.routes = [];
    this.pids = new Set();
    this.now = 0;
    this.tiles = new Tiles();
    this.log = new Events();
    this.charts = new Charts();
    this.tables = { routes: routesTable(), services: servicesTable(), workers: workersTable(), errors: errorsTable(), exchanges: exchangesTable() };
    this.fact = definitions(byId('facts'), ['generation', 'config', 'up', 'version']);
  }

  /** Until the page is left: connects, and again when that ends. */
  async run() {
    for (let wait = 250; ; wait = Math.min(2 * wait, 5000)) {
      try {
        this.take(await this.gateway.status());
        byId('login').hidden = true;
        byId('content').hidden = false;
        await this.gateway.events((event, data) => {
          wait = 250;
          this.update(data, event === 'hello');
        });
      } catch (failure) {
        if (failure instanceof Unauthorized) {
          await this.ask();
          wait = 250;
          continue;
        }
        if (!(failure instanceof DOMException)) console.warn(failure);
      }
      this.showState('disconnected', 'bad');
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  /** Waits for a token from whoever reads this. */
  ask() {
    byId('content').hidden = true;
    byId('login').hidden = false;
    this.showState('locked', 'warn');
    setText(byId('login-error'), this.gateway.token ? 'That token is not the right one.' : '');
    byId('token').focus();
    return new Promise((resolve) => {
      byId('login').addEventListener('submit', (event) => {
        event.preventDefault();
        this.gateway.use(byId('token').value.trim());
        byId('token').value = '';
        resolve();
      }, { once: true });
    });
  }

  /** All of /status: at the start, and when the configuration or something that is not in the updates has changed. */
  take(status) {
    if (this.status && this.status.pid !== status.pid) this.forget();
    this.status = status;
    this.routes = status.routes;
    this.known = status.events.at(-1)?.number ?? 0;
    this.now = status.now.time;
    this.tables.routes.set(this.routes);
    this.tables.services.set(status.services);
    this.tables.errors.set(status.errors);
    this.tables.exchanges.set(status.exchanges);
    this.showWorkers(status.workers, true);
    this.tiles.show(status.now, status.totals.requests);
    this.log.show(status.events, false);
    showCrashes(status.crashes);
    this.showFacts(status);
  }

  forget() {
    this.log.forget();
    this.points = [];
    this.events = [];
  }

  update(data, first) {
    this.now = data.now.time;
    const last = this.points.at(-1)?.time ?? 0;
    this.points.push(...data.points.filter((point) => point.time > last));
    const latest = this.events.at(-1)?.number ?? 0;
    this.events.push(...data.events.filter((event) => event.number > latest));
    this.points = this.points.filter((point) => point.time > this.now - SPAN);
    this.log.show(data.events, !first);
    if (first || data.points.length || data.events.length) this.charts.show(this.points, this.events, this.now);
    this.tiles.show(data.now, data.requests);
    this.showWorkers(data.workers, first);
    if (data.routes && data.generation === this.status.generation) this.showTables(data);
    this.showState(data.ready || data.state !== 'serving' ? data.state : 'not ready', STATES[data.state] || 'bad');
    this.showMark();
    this.fact('generation', String(data.generation));
    this.fact('up', format.age(this.now - this.status.started));
    showReload(this.status.last_reload, data.generation, this.now);
    document.title = `${format.rate(data.now.request_rate)}/s · RESTGate`;
    if (data.last_event !== this.known || data.generation !== this.status.generation) this.refresh(data.last_event);
  }

  async refresh(event) {
    this.known = event;  // asked for once
    try {
      this.take(await this.gateway.status());
      showReload(this.status.last_reload, this.status.generation, this.now);
    } catch {
      this.known = -1;  // with the next update
    }
  }

  showTables(data) {
    for (const row of this.routes) {
      row.rate = row.client_error_share = row.error_share = 0;
      row.latency_s = null;
    }
    for (const [place, requests, rate, refused, failed, p50, p95, p99] of data.routes) {
      const latency = p50 === undefined ? null : { p50, p95, p99 };
      Object.assign(this.routes[place], { requests, rate, client_error_share: refused, error_share: failed, latency_s: latency });
    }
    this.tables.routes.set(this.routes);
    this.tables.services.set(data.services);
    this.tables.errors.set(data.errors);
    this.tables.exchanges.set(data.exchanges);
  }

  showWorkers(workers, first) {
    for (const worker of workers) worker.fresh = !first && (!this.pids.has(worker.pid) || worker.age_s < 6);
    this.pids = new Set(workers.map((worker) => worker.pid));
    this.tables.workers.set(workers);
  }

  showState(text, className) {
    setText(byId('state'), text);
    setClass(byId('state'), 'pill ' + className);
  }

  /** What has just happened, for two minutes. */
  showMark() {
    const last = this.events.findLast((event) => event.kind !== 'start' && event.time > this.now - 120);
    byId('mark').hidden = !last;
    if (!last) return;
    setText(byId('mark'), `${last.kind.replace('_', ' ')} ${format.age(this.now - last.time)} ago`);
    setClass(byId('mark'), 'pill ' + KINDS[last.kind]);
  }

  showFacts(status) {
    this.fact('generation', String(status.generation));
    this.fact('config', status.config.hash, '', status.config.file);
    this.fact('up', format.age(status.time - status.started), '', 'since ' + new Date(status.started * 1000).toLocaleString('en-GB'));
    this.fact('version', status.version, '', status.commit);
    setText(byId('footer'), `${status.config.file} · rates over ${Math.round(status.windows.rate_s)} s, latencies of tables over `
      + `${Math.round(status.windows.latency_s)} s · times are this browser's`);
  }
}

new Page(new Gateway()).run();
