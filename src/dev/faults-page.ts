/**
 * `/dev/faults`: the switches of the provider, for people and for programs. `GET` lists what is on, `POST` with the field
 * `fault` (or `clear`) changes it, `DELETE` clears everything. A page of somebody else cannot post here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isCoatcheckError } from '../core/errors.ts'
import type { ActiveFault, FaultSwitches } from './fault-switches.ts'
import { html, type Html } from './html.ts'
import { faultsPath, layout, type Page, writePage } from './pages.ts'
import { peekForm } from './peek-form.ts'

const SUGGESTIONS = [
  'refresh=429:3',
  'refresh=invalid_grant',
  'token=slow:6s',
  'jwks=rotate',
  'clock=+7m',
  'redis=down:10s',
]

/** @param url the origin of the provider */
export async function handleFaults(
  switches: FaultSwitches,
  url: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const wantsPage = request.headers.accept?.includes('text/html') === true
  if (request.method !== 'GET' && !isOurs(request, url)) {
    sendJson(response, 403, { error: 'Only the page of the provider itself may switch faults.' })
    return
  }
  const refusal = await change(switches, request)
  if (wantsPage && request.method === 'POST' && refusal === null) {
    response.writeHead(303, { location: faultsPath }).end()
  } else if (wantsPage) writePage(response, faultsPage(switches.list(), refusal))
  else if (refusal !== null) sendJson(response, 400, { error: refusal })
  else sendJson(response, 200, { faults: switches.list() })
}

/** Programs send neither header. Our own page has no referrer, so what it posts has the origin `null`. */
function isOurs({ headers }: IncomingMessage, url: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === undefined || headers.origin === url
}

/** @returns why it was refused, `null` when it was not */
async function change(switches: FaultSwitches, request: IncomingMessage): Promise<string | null> {
  if (request.method === 'DELETE') switches.clear()
  if (request.method !== 'POST') return null
  const form = await peekForm(request)
  if (form.has('clear')) {
    switches.clear()
    return null
  }
  try {
    await switches.apply(form.get('fault') ?? '')
    return null
  } catch (error) {
    if (!isCoatcheckError(error)) throw error
    return error.message
  }
}

function faultsPage(active: readonly ActiveFault[], refusal: string | null): Page {
  const row = ({ fault, left }: ActiveFault): Html =>
    html`<li class="row">
      <span class="who"><code>${fault}</code></span>
      <span class="note">${left === null ? 'until cleared, or for its time' : `${left} more`}</span>
    </li>`
  const suggestion = (fault: string): Html =>
    html`<li>
      <button name="fault" value="${fault}"><code>${fault}</code></button>
    </li>`
  return layout(
    { title: 'Faults', ...(refusal !== null && { status: 400 }) },
    html`<h1>Faults</h1>
      ${refusal === null ? '' : html`<p role="alert">${refusal}</p>`}
      <p>${active.length === 0 ? 'None is on.' : 'On now:'}</p>
      <ul>
        ${active.map(row)}
      </ul>
      <form method="post" action="${faultsPath}">
        <ul>
          ${SUGGESTIONS.map(suggestion)}
        </ul>
        <p class="actions"><button class="secondary" name="clear" value="yes">Clear all</button></p>
      </form>
      <form method="post" action="${faultsPath}">
        <p>
          <label>Another one: <input name="fault" required size="24" autocomplete="off" /></label>
          <button class="secondary">Switch on</button>
        </p>
      </form>`,
  )
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)
}
