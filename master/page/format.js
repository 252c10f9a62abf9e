'use strict';
// How numbers are shown: short, and always as wide as their neighbours need.

const NOTHING = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

const format = {
  count(n) {
    if (n == null) return NOTHING;
    if (n >= 1e9) return (n / 1e9).toFixed(2) + 'G';
    if (n >= 1e7) return (n / 1e6).toFixed(1) + 'M';
    return whole.format(n);
  },
  rate(n) {
    if (n == null) return NOTHING;
    if (n === 0) return '0';
    if (n < 0.1) return '<0.1';
    return n < 10 ? n.toFixed(1) : format.count(n);
  },
  share(n) {
    if (!n) return '0';
    const percent = n * 100;
    if (percent < 0.1) return '<0.1 %';
    return (percent < 10 ? percent.toFixed(1) : percent.toFixed(0)) + ' %';
  },
  /** Seconds, as a latency. */
  latency(seconds) {
    if (seconds == null) return NOTHING;
    const ms = seconds * 1000;
    if (ms < 1) return ms.toFixed(2) + ' ms';
    if (ms < 10) return ms.toFixed(1) + ' ms';
    if (ms < 1000) return ms.toFixed(0) + ' ms';
    return (ms / 1000).toFixed(ms < 10000 ? 2 : 1) + ' s';
  },
  /** Seconds, as an age. */
  age(seconds) {
    if (seconds == null) return NOTHING;
    const s = Math.max(0, Math.floor(seconds));
    if (s < 60) return s + ' s';
    if (s < 3600) return Math.floor(s / 60) + ' min';
    if (s < 86400) return Math.floor(s / 3600) + ' h ' + Math.floor((s % 3600) / 60) + ' min';
    return Math.floor(s / 86400) + ' d ' + Math.floor((s % 86400) / 3600) + ' h';
  },
  bytes(n) {
    if (n == null) return NOTHING;
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let at = 0;
    for (; n >= 1000 && at < units.length - 1; ++at) n /= 1000;
    return (at === 0 || n >= 100 ? n.toFixed(0) : n.toFixed(1)) + ' ' + units[at];
  },
  clock(time) {
    return new Date(time * 1000).toLocaleTimeString('en-GB');
  },
  minute(time) {
    return format.clock(time).slice(0, 5);
  },
};
