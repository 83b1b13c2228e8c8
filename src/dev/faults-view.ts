/** Renders `/dev/faults`: each fault with its state, its effect and one button. Works without scripts. */
import { isCoatcheckError } from '../core/errors.ts'
import { faultSyntax, parseFault } from './fault-grammar.ts'
import type { FaultSwitches } from './fault-switches.ts'
import { html, type Html } from './html.ts'
import { faultsPath, layout, type Page } from './pages.ts'

/** The change that led to this page. `fault` is empty for `cleared`. */
export interface FaultChange {
  readonly kind: 'on' | 'off' | 'cleared'
  readonly fault: string
}

interface Suggestion {
  readonly fault: string
  readonly title: string
  readonly effect: string
  /** Button text of a fault that happens once and cannot be switched off. */
  readonly action?: string
}

const SUGGESTIONS: readonly Suggestion[] = [
  {
    fault: 'refresh=429:3',
    title: 'Refreshes are throttled',
    effect: 'The next three refreshes get status 429 with Retry-After: 2.',
  },
  {
    fault: 'refresh=invalid_grant',
    title: 'The refresh token is refused',
    effect: 'The next refresh gets invalid_grant, as after a password change.',
  },
  {
    fault: 'token=slow:6s',
    title: 'The token endpoint is slow',
    effect: 'The next request for a token takes six seconds.',
  },
  {
    fault: 'jwks=rotate',
    title: 'The signing key changes',
    effect: 'From now on the provider signs with a new key. The old one stays published.',
    action: 'Rotate now',
  },
  {
    fault: 'clock=+7m',
    title: 'The clock is seven minutes ahead',
    effect: 'New tokens are from the future, so the application refuses new sign-ins.',
  },
  {
    fault: 'redis=down:10s',
    title: 'Redis is down',
    effect: 'For ten seconds Redis refuses connections. Pages get 503, and all users stay signed in.',
  },
]

interface Row extends Suggestion {
  readonly isOn: boolean
  /** Number of further requests that it affects; `null`: until it is switched off, or for its time. */
  readonly left: number | null
}

export function faultsView(
  switches: FaultSwitches,
  { refusal, change }: { readonly refusal: string | null; readonly change: FaultChange | null },
): Page {
  const rows = rowsOf(switches)
  const on = rows.filter(({ isOn }) => isOn).length
  return layout(
    { title: 'Faults', ...(refusal !== null && { status: 400 }) },
    html`<h1>Faults</h1>
      <p>Make the provider or Redis fail on purpose, and watch what your application does.</p>
      ${refusal === null ? '' : html`<p class="alert" role="alert">${refusal}</p>`}
      <div class="summary">
        <p role="status">${messageOf(change, switches)} <span>${summaryOf(on)}</span></p>
        ${on > 0 && html`<form method="post" action="${faultsPath}"><button class="secondary" name="clear" value="yes">Switch all off</button></form>`}
      </div>
      <form method="post" action="${faultsPath}">
        <ul>
          ${rows.map((row) => renderRow(row, change, switches.hasRedis))}
        </ul>
      </form>
      <form class="other" method="post" action="${faultsPath}">
        <label for="fault">Another fault</label>
        <div class="entry">
          <input id="fault" name="fault" required autocomplete="off" spellcheck="false" aria-describedby="syntax" />
          <button class="secondary">Switch on</button>
        </div>
        <p id="syntax" class="hint"><code>${faultSyntax}</code></p>
      </form>`,
  )
}

/** Faults that were entered by hand come first; the suggestions keep their places. */
function rowsOf(switches: FaultSwitches): readonly Row[] {
  const lefts = new Map<string, number | null>()
  for (const { fault, left } of switches.list()) {
    const before = lefts.get(fault)
    lefts.set(fault, left === null || before === null ? null : left + (before ?? 0))
  }
  const others = [...lefts.keys()].filter((fault) => !SUGGESTIONS.some((known) => known.fault === fault))
  const byHand = others.map((fault) => ({
    fault,
    title: fault,
    effect: 'Switched on by hand, or on the command line.',
  }))
  return [...byHand, ...SUGGESTIONS].map((row) => ({
    ...row,
    isOn: lefts.has(row.fault),
    left: lefts.get(row.fault) ?? null,
  }))
}

function renderRow(row: Row, change: FaultChange | null, hasRedis: boolean): Html {
  const { fault, title, effect, isOn } = row
  const wantsRedis = fault.startsWith('redis=') && !hasRedis
  return html`<li class="fault${isOn ? ' on' : ''}">
    <div class="what">
      <strong>${title}</strong> ${stateOf(row)}
      <p>${effect}${wantsRedis && ' Needs coatcheck dev --redis server.'}</p>
      ${title !== fault && html`<code>${fault}</code>`}
    </div>
    ${!wantsRedis && renderButton(row, change?.fault === fault)}
  </li>`
}

/** The pressed button keeps the focus. The accessible name begins with the visible text. */
function renderButton({ fault, title, isOn, action }: Row, wasPressed: boolean): Html {
  const verb = isOn ? 'Switch off' : (action ?? 'Switch on')
  return html`<button
    class="${isOn ? 'primary' : 'secondary'}"
    name="${isOn ? 'off' : 'fault'}"
    value="${fault}"
    aria-label="${verb}: ${title}"
    ${wasPressed && html`autofocus`}
  >
    ${verb}
  </button>`
}

function stateOf({ isOn, left, action }: Row): Html {
  if (!isOn) return html`${action === undefined && html`<span class="state">Off</span>`}`
  const rest = left === null ? '' : ` · ${left === 1 ? '1 request' : `${String(left)} requests`} left`
  return html`<span class="state on">On${rest}</span>`
}

function summaryOf(on: number): string {
  if (on === 0) return 'No fault is on.'
  return on === 1 ? 'One fault is on.' : `${String(on)} faults are on.`
}

/** Shows only a valid fault, so that an external link cannot put its own text here. */
function messageOf(change: FaultChange | null, switches: FaultSwitches): Html | null {
  if (change === null) return null
  if (change.kind === 'cleared') return html`All faults were switched off.`
  if (!isFault(change.fault)) return null
  const title = SUGGESTIONS.find(({ fault }) => fault === change.fault)?.title
  const name = html`<strong>${title ?? change.fault}</strong>`
  if (change.kind === 'off') return html`Switched off: ${name}.`
  if (change.fault === 'jwks=rotate') return html`Done: ${name}.`
  const isOver = !switches.list().some(({ fault }) => fault === change.fault)
  return isOver ? html`Over: ${name}.` : html`Switched on: ${name}.`
}

function isFault(text: string): boolean {
  try {
    parseFault(text)
    return true
  } catch (error) {
    if (!isCoatcheckError(error)) throw error
    return false
  }
}
