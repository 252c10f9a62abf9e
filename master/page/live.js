// Talks to the gateway: /status once and after each change, /events for the rest. The token, if there is one, goes into a
// header field, which EventSource cannot send: the stream is read with fetch.

class Unauthorized extends Error {}

class Gateway {
  constructor() {
    const given = new URLSearchParams(location.hash.slice(1)).get('token');
    if (given) {
      sessionStorage.setItem('token', given);
      history.replaceState(null, '', location.pathname);  // not for whoever looks at the address, or keeps it
    }
    this.token = sessionStorage.getItem('token');
  }

  use(token) {
    this.token = token;
    sessionStorage.setItem('token', token);
  }

  async fetch(path, options = {}) {
    const headers = this.token ? { Authorization: 'Bearer ' + this.token } : {};
    const answer = await fetch(path, { ...options, headers, cache: 'no-store' });
    if (answer.status === 401) throw new Unauthorized();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
    return answer;
  }

  async status() {
    return (await this.fetch('/status')).json();
  }

  /** Calls on(event, data) for each event until the stream ends. A stream that is silent for long is dead. */
  async events(on) {
    const dead = new AbortController();
    let alarm = 0;
    const alive = () => {
      clearTimeout(alarm);
      alarm = setTimeout(() => dead.abort(), 15000);
    };
    try {
      alive();
      const answer = await this.fetch('/events', { signal: dead.signal });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        alive();
        text += value;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const [event, data] = text.slice(0, end).split('\n', 2);
          text = text.slice(end + 2);
          on(event.slice('event: '.length), JSON.parse(data.slice('data: '.length)));
        }
      }
    } finally {
      clearTimeout(alarm);
    }
  }
}
