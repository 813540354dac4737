// The page /rum: asks this silo once a second while it is in view, and draws what it says. Texts go in as text, never as markup.
'use strict';

const PERIOD_MS = 1000, TABLE_PERIOD_MS = 2000, HISTORY = 60;
const colours = ['#2563eb', '#c2410c', '#15803d', '#7c3aed', '#a16207', '#be185d', '#0e7490', '#4d7c0f'];
const $ = id => document.getElementById(id);
const before = new Map();   // silo number: its counters when they were asked last
const history = new Map();  // silo number: pages a second, the latest last
let ringDecree = null, ringShards = [], cluster = null, tablesAt = 0, asking = false;

const colour = silo => colours[(silo - 1) % colours.length];
const count = n => n >= 1e6 ? (n / 1e6).toFixed(2) + 'M' : n >= 1e4 ? (n / 1e3).toFixed(0) + 'k' : n >= 1e3 ? (n / 1e3).toFixed(1) + 'k' : Math.round(n).toString();

function bytes(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  while (n >= 1024 && unit < units.length - 1) { n /= 1024; unit++; }
  return (n >= 100 || unit === 0 ? n.toFixed(0) : n.toFixed(1)) + ' ' + units[unit];
}

function time(ns) {
  return ns >= 1e9 ? (ns / 1e9).toFixed(1) + ' s' : ns >= 1e6 ? (ns / 1e6).toFixed(1) + ' ms' : ns >= 1e3 ? (ns / 1e3).toFixed(1) + ' µs' : Math.round(ns) + ' ns';
}

function make(tag, text, css) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (css) element.className = css;
  return element;
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function svg(tag, attributes, text) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

async function ask(path) {
  const response = await fetch('/rum/api/' + path, { cache: 'no-store' });
  if (!response.ok) throw new Error((await response.text()).trim() || 'HTTP ' + response.status);
  return response.json();
}

// Rates since the last answer of that silo; a counter that fell belongs to a new life.
function rates(live) {
  const last = before.get(live.silo);
  if (live.missing) { before.delete(live.silo); return null; }
  if (last && live.at_ms === last.at_ms) return last.rates ?? null;
  const seconds = last ? (live.at_ms - last.at_ms) / 1000 : 0;
  const now = { at_ms: live.at_ms, read: live.pages_read, written: live.pages_written, rates: null };
  if (seconds > 0 && live.pages_read >= last.read && live.pages_written >= last.written) {
    now.rates = { read: (live.pages_read - last.read) / seconds, written: (live.pages_written - last.written) / seconds };
    const line = history.get(live.silo) ?? [];
    line.push(now.rates.read + now.rates.written);
    if (line.length > HISTORY) line.shift();
    history.set(live.silo, line);
  }
  before.set(live.silo, now);
  return now.rates;
}

function showCluster(overview) {
  cluster = overview.cluster;
  put($('cluster'), `cluster ${cluster.cluster_id.slice(0, 8)}, decree ${cluster.decree}, as silo ${overview.here} sees it`);
  put($('used'), `${bytes(cluster.charged_bytes)} of ${bytes(cluster.capacity_bytes)}`);
  put($('segment-count'), count(cluster.segments));
  put($('session-count'), count(cluster.sessions));
  put($('lost'), String(cluster.shards.lost));
  put($('survivable'), 'Survives: ' + cluster.survivable + '.');
}

function siloCard(silo) {
  const card = make('li');
  card.id = 'silo-' + silo.id;
  card.style.setProperty('--silo', colour(silo.id));
  const title = make('h3');
  title.append(make('span', silo.name), make('span', '', 'badge'));
  const meter = make('meter');
  meter.min = 0;
  const figures = make('div', undefined, 'rates');
  for (const name of ['read', 'written']) {
    const cell = make('p', name + ' ');
    const value = make('strong', '-');
    value.dataset.rate = name;
    cell.append(value, '/s');
    figures.append(cell);
  }
  const spark = svg('svg', { class: 'spark', viewBox: '0 0 60 10', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
  spark.append(svg('path', { d: '' }));
  card.append(title, make('p', '', 'quiet where'), meter, make('p', '', 'quiet room'), figures, spark, make('p', '', 'quiet missing'));
  return card;
}

function showSilos(overview) {
  const list = $('silo-list');
  const total = { read: 0, written: 0, known: false };
  for (const silo of overview.cluster.silos) {
    let card = $('silo-' + silo.id);
    if (!card) list.append(card = siloCard(silo));
    const live = overview.live.find(one => one.silo === silo.id);
    // The council can't tell a dead silo from one that is cut off; its web page is asked too before this says dead.
    const state = silo.state === 'silent' && live.missing === "it doesn't answer" ? 'dead' : silo.state;
    const badge = card.querySelector('.badge');
    badge.dataset.state = state;
    card.dataset.dead = String(state === 'dead');
    put(badge, state === 'dead' ? `dead: silent for ${silo.silent_seconds.toFixed(0)} s` : state === 'silent' ? `silent for ${silo.silent_seconds.toFixed(0)} s` : state);
    put(card.querySelector('.where'), `silo ${silo.id} at ${silo.endpoint}${silo.council ? ', council' : ''}${silo.label ? ', ' + silo.label : ''}`);
    const meter = card.querySelector('meter');
    meter.max = Math.max(1, silo.capacity_bytes);
    meter.value = silo.charged_bytes;
    meter.setAttribute('aria-label', 'Memory charged');
    put(card.querySelector('.room'), `${bytes(silo.charged_bytes)} of ${bytes(silo.capacity_bytes)} charged, ${silo.shards} shards`
      + (live.missing ? '' : `, ${count(live.pages)} pages stored`));
    const now = rates(live);
    for (const name of ['read', 'written']) put(card.querySelector(`[data-rate=${name}]`), now ? count(now[name]) : '-');
    put(card.querySelector('.missing'), live.missing);
    if (now) { total.read += now.read; total.written += now.written; total.known = true; }
    const line = history.get(silo.id) ?? [];
    const top = Math.max(1, ...line);
    card.querySelector('.spark path').setAttribute('d',
      line.map((value, i) => `${i ? 'L' : 'M'}${60 - line.length + i} ${(9.5 - 9 * value / top).toFixed(2)}`).join(''));
  }
  put($('reads'), total.known ? count(total.read) + '/s' : '-');
  put($('writes'), total.known ? count(total.written) + '/s' : '-');
}

function drawRing() {
  const canvas = $('ring-canvas'), scale = window.devicePixelRatio || 1, size = 280;
  canvas.width = canvas.height = size * scale;
  const paint = canvas.getContext('2d');
  paint.scale(scale, scale);
  paint.clearRect(0, 0, size, size);
  const css = getComputedStyle(document.documentElement);
  const shards = new Map();
  const each = 2 * Math.PI / Math.max(1, ringShards.length);
  paint.lineWidth = 34;
  for (let i = 0; i < ringShards.length;) {
    let end = i;
    while (end < ringShards.length && ringShards[end] === ringShards[i]) end++;
    const owner = ringShards[i];
    paint.strokeStyle = owner > 0 ? colour(owner) : css.getPropertyValue(owner < 0 ? '--bad' : '--line');
    paint.beginPath();
    // A hair more than its share, so that no gaps are left between neighbours.
    paint.arc(size / 2, size / 2, 112, i * each - Math.PI / 2, end * each - Math.PI / 2 + 0.002);
    paint.stroke();
    shards.set(owner, (shards.get(owner) ?? 0) + end - i);
    i = end;
  }
  paint.fillStyle = css.getPropertyValue('--ink');
  paint.textAlign = 'center';
  paint.font = '600 22px system-ui, sans-serif';
  paint.fillText(String(ringShards.length), size / 2, size / 2);
  paint.font = '13px system-ui, sans-serif';
  paint.fillStyle = css.getPropertyValue('--quiet');
  paint.fillText('shards', size / 2, size / 2 + 20);
  const legend = [...shards].sort(([a], [b]) => a - b).map(([owner, n]) => {
    const item = make('li'), dot = make('span', undefined, 'dot');
    dot.style.background = owner > 0 ? colour(owner) : owner < 0 ? 'var(--bad)' : 'var(--line)';
    const name = owner > 0 ? cluster?.silos.find(silo => silo.id === owner)?.name ?? 'silo ' + owner : owner < 0 ? 'lost' : 'not assigned';
    item.append(dot, make('span', `${name}: ${n} (${(100 * n / ringShards.length).toFixed(1)}%)`));
    return item;
  });
  $('ring-legend').replaceChildren(...legend);
}

async function showRing(viewDecree) {
  if (viewDecree === ringDecree) return;
  ringShards = (await ask('ring')).shards;
  ringDecree = viewDecree;
  drawRing();
}

function showTimes(live) {
  const sums = new Map();
  let total = 0;
  for (const silo of live) {
    for (const { from_ns, count } of silo.service) {
      // Six bars a decade are enough to look at.
      const bar = Math.floor(6 * Math.log10(Math.max(1, from_ns)));
      sums.set(bar, (sums.get(bar) ?? 0) + count);
      total += count;
    }
  }
  const chart = $('times-chart');
  if (total === 0) { chart.replaceChildren(); put($('times-words'), 'No page was asked for yet.'); return; }
  const first = 6 * Math.floor(Math.min(...sums.keys()) / 6), last = 6 * Math.ceil((Math.max(...sums.keys()) + 1) / 6);
  const left = 40, right = 8, top = 8, bottom = 24, width = 520 - left - right, height = 220 - top - bottom;
  const highest = Math.max(...sums.values());
  const drawn = [];
  for (let bar = first; bar <= last; bar += 6) {
    const x = left + width * (bar - first) / (last - first);
    drawn.push(svg('line', { class: 'axis', x1: x, x2: x, y1: top, y2: top + height }));
    drawn.push(svg('text', { x, y: 214, 'text-anchor': bar === last ? 'end' : 'middle' }, time(10 ** (bar / 6)).replace('.0', '')));
  }
  for (const share of [0, 0.5, 1]) {
    const y = top + height * (1 - share);
    drawn.push(svg('line', { class: 'axis', x1: left, x2: left + width, y1: y, y2: y }));
    drawn.push(svg('text', { x: left - 5, y: y + 4, 'text-anchor': 'end' }, (100 * share * highest / total).toFixed(0) + '%'));
  }
  for (const [bar, n] of sums) {
    const tall = height * n / highest;
    drawn.push(svg('rect', { x: left + width * (bar - first) / (last - first) + 1, y: top + height - tall, width: width / (last - first) - 2, height: tall }));
  }
  chart.replaceChildren(...drawn);
  put($('times-words'), `p50 ${time(quantile(live, total, 0.5))}, p99 ${time(quantile(live, total, 0.99))}, ${count(total)} bursts`);
}

function quantile(live, total, share) {
  const buckets = live.flatMap(silo => silo.service).sort((a, b) => a.from_ns - b.from_ns);
  let seen = 0;
  for (const bucket of buckets) {
    seen += bucket.count;
    if (seen >= share * total) return bucket.to_ns;
  }
  return 0;
}

function showEvents(overview) {
  if (overview.events_missing) put($('event-words'), 'None to show: ' + overview.events_missing + '.');
  const list = $('event-list'), newest = overview.events.at(-1)?.number ?? 0;
  const key = newest + '/' + overview.events.length;
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...overview.events.toReversed().map(event => {
    const item = make('li');
    item.dataset.kind = event.kind;
    const at = make('time', new Date(event.at_ms).toLocaleTimeString([], { hour12: false }));
    at.dateTime = new Date(event.at_ms).toISOString();
    item.append(at, make('span', event.kind, 'kind'), make('span', event.text + (event.decree ? ` (decree ${event.decree})` : '')));
    return item;
  }));
}

function rows(body, items, cells) {
  $(body).replaceChildren(...items.map(item => {
    const row = make('tr');
    row.append(...cells(item).map(([text, css]) => make('td', text, css)));
    return row;
  }));
}

async function showTables() {
  const segments = await ask('segments?search=' + encodeURIComponent($('segment-search').value));
  if (segments.search === $('segment-search').value.trim()) {
    put($('segment-words'), segments.segments.length === 0 ? (segments.search ? 'None fits.' : 'Nothing is allocated.')
      : segments.more ? `The first ${segments.segments.length}; search for others.` : segments.segments.length === 1 ? 'One.' : `${segments.segments.length} of them.`);
    rows('segment-rows', segments.segments, s => [
      [String(s.id)], [s.key || 'anonymous', s.key ? 'key' : 'quiet'], [bytes(s.size_bytes), 'number'], [bytes(s.charged_bytes), 'number'], [s.owner ? String(s.owner) : '', 'number'],
      [s.writer ? String(s.writer) : '', 'number'], [String(s.readers), 'number'], [[s.pinned && 'pinned', s.sparse && 'sparse'].filter(Boolean).join(', ')],
    ]);
  }
  const sessions = await ask('sessions?search=' + encodeURIComponent($('session-search').value));
  if (sessions.search === $('session-search').value.trim()) {
    put($('session-words'), sessions.sessions.length === 0 ? (sessions.search ? 'None fits.' : 'No program is connected.')
      : sessions.more ? `The first ${sessions.sessions.length}.` : sessions.sessions.length === 1 ? 'One.' : `${sessions.sessions.length} of them.`);
    rows('session-rows', sessions.sessions, s => [
      [String(s.id)], [s.client], [(s.lease_ms / 1000).toFixed(1) + ' s', 'number'], [bytes(s.anonymous_bytes), 'number'], [String(s.segments), 'number'],
    ]);
  }
}

async function tick() {
  if (document.hidden || asking) return;
  asking = true;
  try {
    const overview = await ask('overview');
    showCluster(overview);
    showSilos(overview);
    showTimes(overview.live);
    showEvents(overview);
    await showRing(overview.view_decree);
    if (performance.now() - tablesAt >= TABLE_PERIOD_MS) {
      tablesAt = performance.now();
      await showTables();
    }
    $('link').dataset.state = 'live';
    put($('link'), 'live');
  } catch (error) {
    $('link').dataset.state = 'lost';
    put($('link'), 'no answer: ' + error.message);
  } finally {
    asking = false;
  }
}

function search() {
  tablesAt = performance.now();
  showTables().catch(error => put($('segment-words'), error.message));
}

for (const id of ['segment-search', 'session-search']) $(id).addEventListener('input', search);
document.addEventListener('visibilitychange', tick);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawRing);
setInterval(tick, PERIOD_MS);
tick();
