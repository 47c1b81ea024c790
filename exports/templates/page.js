'use strict'
// What a reader does with the page: filter and sort tables, open a customer, point at a chart.
// Texts of the data are only ever set as text, never as markup.
const data = JSON.parse(document.getElementById('page-data').textContent)
const words = data.words
const find = (selector, within = document) => within.querySelector(selector)
const all = (selector, within = document) => [...within.querySelectorAll(selector)]

// Words and figures

const say = (key, figures = {}) => words[key].replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g,
  (_, name, one, other) => one === undefined ? String(figures[name])
    : `${Number(figures[name]).toLocaleString('en')} ${Number(figures[name]) === 1 ? one : other}`)
const nameOf = value => value == null ? null : data.names[value] ?? value.replaceAll('_', ' ')
// As Python rounds, so that a score is the same in a sentence, in the queue and in the list.
const whole = value => value == null ? null
  : value.toLocaleString('en', { maximumFractionDigits: 0, roundingMode: 'halfEven' })
const money = value => value == null ? null : `${whole(value)} ${data.currency}`
const percent = (value, digits = 0) => value == null ? null : `${(value * 100).toFixed(digits)}\u00a0%`
const signed = (value, digits = 1) => value == null ? null
  : `${value > 0 ? '+' : value < 0 ? '−' : ''}${Math.abs(value).toFixed(digits)}`

// Elements: el('p.lead', {id: 'x'}, 'text', child); children that are null or false are left out

function el (kind, attributes = {}, ...children) {
  const [tag, ...classes] = kind.split('.')
  const made = document.createElement(tag)
  if (classes.length) made.className = classes.join(' ')
  for (const [name, value] of Object.entries(attributes)) {
    if (value != null) made.setAttribute(name, value)
  }
  made.append(...children.flat().filter(child => child != null && child !== false))
  return made
}
const unknown = () => el('span.unknown', { title: words.not_measured },
  el('span', { 'aria-hidden': 'true' }, '–'), el('span.heard', {}, words.not_measured))
const shown = value => value ?? unknown()
const band = name => el(`span.band.${name ?? 'unknown'}`, {}, nameOf(name ?? 'unknown'))
const link = (id, name) => el('a.who', { href: `#customer=${encodeURIComponent(id)}` }, name ?? id)

// Sorting: by a column up, down, then back to the order the page came with

function makeSortable (table) {
  const bodies = all('tbody', table)
  const rows = bodies.flatMap(body => all('tr:not(.group):not(.sum)', body).map(row => [body, row]))
  const flat = table.appendChild(el('tbody.flat'))
  const heads = all('thead th', table)
  heads.forEach((head, column) => {
    if (!head.dataset.sort) return
    head.replaceChildren(el('button', { type: 'button' }, ...head.childNodes))
    head.setAttribute('aria-sort', 'none')
    find('button', head).addEventListener('click', () => {
      const now = head.getAttribute('aria-sort')
      const first = head.dataset.sort === 'number' ? 'descending' : 'ascending' // ranks: the first
      const second = first === 'ascending' ? 'descending' : 'ascending'
      const next = now === 'none' ? first : now === first ? second : 'none'
      heads.filter(other => other.dataset.sort).forEach(other => other.setAttribute('aria-sort', 'none'))
      head.setAttribute('aria-sort', next)
      const sorted = next === 'none' ? rows : [...rows].sort(byColumn(column, head.dataset.sort, next))
      for (const [body, row] of sorted) (next === 'none' ? body : flat).append(row)
      hideEmptyGroups(table)
    })
  })
}

function byColumn (column, kind, direction) {
  const valueOf = ([, row]) => {
    const cell = row.cells[column]
    const value = cell.dataset.value ?? cell.textContent.trim()
    if (kind === 'text') return value
    const figure = parseFloat(value.replaceAll(',', ''))
    return Number.isNaN(figure) ? null : figure
  }
  const sign = direction === 'ascending' ? 1 : -1
  return (left, right) => {
    const [a, b] = [valueOf(left), valueOf(right)]
    if (a === b) return 0
    if (a === null || a === '') return 1 // what is not measured stands last, whichever way
    if (b === null || b === '') return -1
    return sign * (kind === 'text' ? a.localeCompare(b) : a - b)
  }
}

function hideEmptyGroups (table) {
  for (const group of all('tr.group', table)) {
    group.hidden = !all('tr:not(.group)', group.parentElement).some(row => !row.hidden)
  }
}

// The queue: one CSM, a text, and whether what is beyond this week's time is wanted

function filterQueue () {
  const csm = find('#queue-csm').value
  const wanted = find('#queue-text').value.trim().toLowerCase()
  const cutToo = find('#queue-cut')?.checked ?? true
  const table = find('#calls')
  let count = 0
  for (const row of all('tbody tr:not(.group)', table)) {
    row.hidden = (csm !== '*' && row.dataset.csm !== csm) ||
      (!cutToo && row.classList.contains('beyond')) ||
      !row.textContent.toLowerCase().includes(wanted)
    count += !row.hidden
  }
  hideEmptyGroups(table)
  find('#queue-shown').textContent = count ? say('shown', { n: count }) : words.none_match
}

// Long tables show their first rows and a button for the rest

function foldLongTable (table) {
  const rows = all('tbody tr', table)
  const first = Number(table.dataset.first)
  if (rows.length <= first) return
  table.classList.add('folded')
  table.style.setProperty('--first', first)
  const fold = () => all('tbody tr', table).forEach((row, place) => row.classList.toggle('later', place >= first))
  fold()
  table.addEventListener('click', event => { if (event.target.closest('thead button')) fold() })
  const more = el('button.more', { type: 'button' }, say('show_all', { n: rows.length }))
  more.addEventListener('click', () => {
    const next = find('tbody .later', table)
    table.classList.remove('folded')
    next.tabIndex = -1
    next.focus() // the button that had the focus goes
    more.remove()
  })
  table.after(more)
}

// All customers: twenty-five at first

const customers = data.customers.map(values =>
  Object.fromEntries(data.columns.map((column, place) => [column, values[place]])))
let most = 25

function listCustomers () {
  const wanted = find('#customers-text').value.trim().toLowerCase()
  const fitting = customers.filter(customer => [customer.customer_name, customer.customer_id,
    customer.segment, customer.csm_name, nameOf(customer.usage_state), nameOf(customer.status)
  ].some(text => text?.toLowerCase().includes(wanted)))
  find('#customers-table tbody').replaceChildren(...fitting.slice(0, most).map(customer => el('tr', {},
    el('td.name', {}, link(customer.customer_id, customer.customer_name), el('small', {}, customer.customer_id)),
    cell('status', nameOf(customer.status)),
    cell('segment', customer.segment),
    el('td', { 'data-name': words.owner }, customer.csm_name ?? words.unassigned),
    el('td', { 'data-name': words.score }, el('span.d', {}, customer.health_band ? band(customer.health_band) : '',
      ' ', shown(whole(customer.health_score)))),
    cell('state', nameOf(customer.usage_state)),
    el('td.n', { 'data-name': words.arr }, shown(whole(customer.arr))),
    el('td.d', { 'data-name': words.renewal }, shown(customer.next_renewal_date)))))
  find('#customers-shown').textContent = say('shown', { n: fitting.length })
  find('#customers-more').hidden = fitting.length <= most
}
const cell = (name, value) => el('td', { 'data-name': words[name] }, shown(value))

// One customer, under #customer=ID: can be shared, the back button and Esc close it

const dialog = find('#customer')
let openedHere = false

const addressed = () => location.hash.match(/^#customer=(.+)$/)?.[1]

function showAddress () {
  const id = addressed()
  if (id === undefined) { if (dialog.open) dialog.close(); return }
  showCustomer(decodeURIComponent(id))
  if (!dialog.open) dialog.showModal()
  dialog.scrollTop = 0
}

// After any way of closing: the address names the customer no more.
function leaveAddress () {
  if (addressed() === undefined) return
  if (openedHere) history.back()
  else history.replaceState(null, '', location.pathname + location.search)
}

function showCustomer (id) {
  const holder = all('script[data-customer]').find(script => script.dataset.customer === id)
  const listed = customers.find(customer => customer.customer_id === id)
  const customer = holder ? JSON.parse(holder.textContent) : listed
  const close = el('button.close', { type: 'button', 'aria-label': words.close }, '✕')
  close.addEventListener('click', () => dialog.close())
  const title = el('h2', { id: 'customer-name', tabindex: '-1', autofocus: '' }, customer?.customer_name ?? id)
  dialog.replaceChildren(el('header', {}, el('div', {}, title,
    customer && el('p', {}, [customer.customer_id, nameOf(customer.status), customer.segment, customer.tier,
      customer.industry, customer.country].filter(Boolean).join(' · '))), close))
  if (!customer) return dialog.append(el('p.empty', {}, say('unknown', { id })))
  dialog.append(head(customer))
  if (!holder) return dialog.append(el('p.empty', {}, say('no_details', { id })))
  dialog.append(...[calls, parts, changes, usage, states, terms, timeline].map(part => part(customer)).filter(Boolean))
  watchStrips(dialog)
}

function head (customer) {
  const ago = days => days == null ? null : say('days_ago', { n: days })
  const facts = [
    ['arr', money(customer.arr)],
    ['due', money(customer.due_arr)],
    ['renewal', customer.next_renewal_date],
    ['overdue', money(customer.overdue_amount)],
    ['probability', percent(customer.churn_probability, 1)],
    ['state', customer.usage_state && [nameOf(customer.usage_state),
      customer.usage_state_since && el('small.d', {}, ` ${say('since', { day: customer.usage_state_since })}`)]],
    ['users', whole(customer.active_user_count_28d)],
    ['seats', whole(customer.seats_bought)],
    ['onboarding', nameOf(customer.onboarding_status)],
    ['our_contact', ago(customer.days_since_our_contact)],
    ['their_contact', ago(customer.days_since_their_contact)],
    ['tickets', whole(customer.open_ticket_count)],
    ['nps', whole(customer.nps)],
    ['version', customer.current_version],
    ['owner', customer.csm_name ?? words.unassigned],
    ['contact', customer.primary_contact_name]
  ]
  const trends = [customer.trend_7d, customer.trend_28d, customer.trend_90d]
  return el('section', {},
    el('div.score', {}, band(customer.health_band),
      el('b', {}, customer.health_score == null ? words.unscored : whole(customer.health_score)),
      el('div', {}, customer.reason && el('p', {}, customer.reason),
        customer.score_low != null && el('small', {}, say('range', {
          low: whole(customer.score_low), high: whole(customer.score_high), share: percent(customer.health_coverage) })),
        trends.some(trend => trend != null) && el('small', {},
          `${words.trend}: ${trends.map(trend => signed(trend) ?? '–').join(' / ')}`))),
    el('dl', {}, facts.map(([name, value]) => el('div', {}, el('dt', {}, words[name]), el('dd', {}, ...[shown(value)].flat().filter(Boolean))))))
}

const part = (title, ...content) => el('section', {}, el('h3', {}, title), ...content)

function table (caption, heads, rows) {
  return el('div.wide', {}, el('table', {}, el('caption.heard', {}, caption),
    el('thead', {}, el('tr', {}, heads.map(([label, figures]) => el(figures ? 'th.n' : 'th', { scope: 'col' }, label)))),
    el('tbody', {}, rows)))
}

function calls (customer) {
  return customer.warnings && part(words.warnings, el('ul.calls', {}, customer.warnings.map(([reason, opened, due, playbook, drivers, skippedOn, skippedBy, why, dueArr]) => el('li', {},
    el('b', {}, data.reasons[reason] ?? nameOf(reason)),
    el('small', {}, [say('since', { day: opened }), due && say('act_by', { day: due }), nameOf(playbook),
      dueArr > 0 && say('at_stake', { amount: money(dueArr) })]
      .filter(Boolean).join(' · ')),
    sentencesOf(drivers, reason).map(sentence => el('p', {}, sentence)),
    skippedOn && el('p', {}, say('skipped', {
      day: skippedOn, who: skippedBy ?? words.unassigned, why: why === 'skipped' ? '' : words.colon + why }))))))
}

// Without those that only repeat the short form of the reason above them.
function sentencesOf (drivers, reason) {
  try {
    return JSON.parse(drivers).map(driver => driver.sentence)
      .filter(sentence => sentence && sentence.replace(/[.。]$/, '') !== data.reasons[reason])
  } catch { return [] }
}

function parts (customer) {
  if (!customer.parts) return null
  const rows = customer.parts.map(([component, score, weight, points, isApplicable, isMeasured, staleDays]) => {
    const counts = isApplicable && isMeasured
    return el('tr', {},
      el('th', { scope: 'row' }, nameOf(component),
        staleDays ? [' ', el('small', {}, say('stale', { n: staleDays }))] : null),
      el('td.n.bar', { style: `--share:${counts ? score / 100 : 0}` },
        !isApplicable ? el('span.unknown', {}, words.not_applicable) : shown(isMeasured ? whole(score) : null)),
      el('td.n', {}, shown(weight)),
      el('td.n', {}, shown(counts ? points?.toFixed(1) : null)))
  })
  const sum = customer.health_score == null ? unknown() : customer.health_score.toFixed(1)
  rows.push(el('tr.sum', {}, el('th', { scope: 'row', colspan: 3 }, words.sum), el('td.n', {}, sum)))
  return part(words.parts, table(words.parts,
    [[words.part], [words.part_score, true], [words.weight, true], [words.contribution, true]], rows))
}

function changes (customer) {
  if (customer.health_score == null) return null
  if (!customer.changes) return part(words.changes, el('p.empty', {}, words.no_changes))
  const sum = customer.changes.reduce((total, [, delta]) => total + delta, 0)
  const row = (name, delta, sentence) => el('tr', {}, el('th', { scope: 'row' }, name), el('td.n', {}, signed(delta)),
    el('td', {}, sentence ?? ''))
  return part(words.changes, table(words.changes, [[words.part], [words.contribution, true], ['']],
    [...customer.changes.map(([name, delta, sentence]) => row(nameOf(name), delta, sentence)),
      row(words.sum, sum)]))
}

function usage (customer) {
  const values = (customer.usage ?? []).flat()
  const known = values.filter(value => value != null)
  if (known.length < 2) return part(words.usage, el('p.empty', {}, words.no_usage))
  const [width, height, high] = [560, 110, Math.max(...known, 1)]
  const x = place => 4 + place * (width - 60) / Math.max(values.length - 1, 1)
  const y = value => 8 + (height - 26) * (1 - value / high)
  const lines = values.map((value, place) => value == null ? null
    : `${place && values[place - 1] != null ? 'L' : 'M'}${x(place).toFixed(1)},${y(value).toFixed(1)}`)
  const last = values.length - 1
  const first = new Date(new Date(data.asOf).getTime() - last * 7 * 864e5).toISOString().slice(0, 10)
  const picture = svg('svg', { viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true', class: 'usage' },
    svg('line', { x1: 4, x2: width - 56, y1: y(0), y2: y(0), class: 'axis' }),
    svg('path', { d: lines.filter(Boolean).join('') }),
    values[last] == null ? null : svg('circle', { cx: x(last), cy: y(values[last]), r: 3.5 }),
    values[last] == null ? null : svg('text', { x: x(last) + 8, y: y(values[last]) + 4 }, String(values[last])),
    svg('text', { x: 4, y: height - 2 }, first),
    svg('text', { x: width - 56, y: height - 2, 'text-anchor': 'end' }, data.asOf))
  const label = say('usage_chart', { first, last: data.asOf, low: Math.min(...known), high: Math.max(...known),
    now: values[last] ?? '–' })
  return part(words.usage, el('div', { role: 'img', 'aria-label': label }, picture))
}

function svg (tag, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  made.append(...children.filter(child => child != null))
  return made
}

function states (customer) {
  return part(words.states, !customer.states ? el('p.empty', {}, words.no_states)
    : el('ol.timeline', {}, customer.states.map(([day, from, to, direction]) => el('li', {}, el('time', {}, day),
      el('span', {}, say('from_to', { from: nameOf(from), to: nameOf(to) }),
        el('small', {}, { improved: '▲', worsened: '▼' }[direction] ?? ''))))))
}

function terms (customer) {
  return part(words.terms, !customer.terms ? el('p.empty', {}, words.no_terms)
    : table(words.terms, [[words.product], [words.begins], [words.ends], [words.arr, true], [words.outcome]],
      customer.terms.map(([product, start, end, arr, outcome]) => el('tr', {},
        el('th', { scope: 'row' }, shown(product)), el('td.d', {}, shown(start)), el('td.d', {}, shown(end)),
        el('td.n', {}, shown(whole(arr))), el('td', {}, shown(nameOf(outcome)))))))
}

function timeline (customer) {
  return part(words.timeline, !customer.timeline ? el('p.empty', {}, words.no_timeline)
    : el('ol.timeline', {}, customer.timeline.map(([day, kind, text]) => el('li', {}, el('time', {}, day),
      el('span', {}, nameOf(kind), el('small', {}, toldOf(kind, text)))))))
}

// Of states and playbooks the data has codes; everything else is as it was recorded.
function toldOf (kind, text) {
  if (/^usage_/.test(kind)) return [...text.split(' to ')].map(nameOf).join(' → ')
  return /^(playbook|onboarding_step)_/.test(kind) ? text.split(': ').map(nameOf).join(': ') : text
}

// What scrolls sideways fades at the end where more stands

function markCut (strip) {
  strip.classList.toggle('cut', strip.scrollWidth - strip.clientWidth - strip.scrollLeft > 4)
}
const sizes = new ResizeObserver(entries => entries.forEach(entry => markCut(entry.target)))
function watchStrips (within) {
  for (const strip of all('nav > div, .wide', within)) {
    sizes.observe(strip)
    strip.addEventListener('scroll', () => markCut(strip), { passive: true })
  }
}

// Pointing at a chart shows the figures of the mark

function showTip (event) {
  const mark = event.target.closest?.('.chart [role="graphics-symbol"][aria-label]')
  const tip = find('#tip')
  tip.hidden = !mark
  if (!mark) return
  tip.textContent = mark.getAttribute('aria-label')
  const left = Math.min(event.clientX + 12, document.documentElement.clientWidth - tip.offsetWidth - 8)
  tip.style.transform = `translate(${Math.max(8, left)}px, ${event.clientY + 16}px)`
}

// Begin

all('table').filter(table => find('th[data-sort]', table)).forEach(makeSortable)
watchStrips(document)
all('table[data-first]').forEach(foldLongTable)
if (find('#queue-tools')) {
  find('#queue-tools').addEventListener('input', filterQueue)
  find('#queue-tools').addEventListener('submit', event => event.preventDefault())
  filterQueue()
}
find('#customers').hidden = false
find('#customers-tools').addEventListener('input', () => { most = 25; listCustomers() })
find('#customers-tools').addEventListener('submit', event => event.preventDefault())
find('#customers-more').addEventListener('click', () => { most += 100; listCustomers() })
listCustomers()
dialog.addEventListener('close', leaveAddress)
dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close() })
addEventListener('hashchange', event => {
  openedHere = !event.oldURL.includes('#customer=')
  showAddress()
})
addEventListener('pointermove', showTip)
showAddress()
