/**
 * `/dev/faults`: the fault switches of the provider, for people and for programs. `GET` lists the active faults. `POST` switches one fault
 * on (`fault`), one off (`off`) or all off (`clear`). `DELETE` switches all off. Pages of other origins cannot post here. `faults-view.ts`
 * renders the page.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isCoatcheckError } from '../core/errors.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import type { FaultSwitches } from './fault-switches.ts'
import { type FaultChange, faultsView } from './faults-view.ts'
import { faultsPath, writePage } from './pages.ts'
import { peekForm } from './peek-form.ts'

/** Query parameters that name the change that led to the page. */
const CHANGES = ['on', 'off', 'cleared'] as const

/** @param url origin of the provider */
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
  const outcome = await change(switches, request)
  const refusal = outcome !== null && 'refusal' in outcome ? outcome.refusal : null
  if (wantsPage && outcome !== null && 'kind' in outcome) {
    const query = new URLSearchParams({ [outcome.kind]: outcome.fault })
    response.writeHead(303, { location: `${faultsPath}?${query.toString()}` }).end()
  } else if (wantsPage) {
    writePage(response, faultsView(switches, { refusal, change: changeOf(new URL(request.url ?? '', url)) }))
  } else if (refusal !== null) sendJson(response, 400, { error: refusal })
  else sendJson(response, 200, { faults: switches.list() })
}

/** Reads the change from the redirect after a form. */
function changeOf({ searchParams }: URL): FaultChange | null {
  const kind = CHANGES.find((name) => searchParams.has(name))
  return kind === undefined ? null : { kind, fault: searchParams.get(kind) ?? '' }
}

/**
 * Programs send neither header. The provider's own page has no referrer, so its posts have the origin `null`. For the browser, a host name
 * that an attacker resolves to this machine (DNS rebinding) is a separate origin, so `Host` must name this machine.
 */
function isOurs({ headers }: IncomingMessage, url: string): boolean {
  const asked = `http://${headers.host ?? ''}`
  if (!URL.canParse(asked) || !isLoopbackHost(new URL(asked).hostname)) return false
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  return headers.origin === undefined || headers.origin === url
}

/** @returns `null` if the request contains no change */
async function change(
  switches: FaultSwitches,
  request: IncomingMessage,
): Promise<FaultChange | { readonly refusal: string } | null> {
  if (request.method === 'DELETE') switches.clear()
  if (request.method !== 'POST') return null
  const form = await peekForm(request)
  const off = form.get('off')
  if (form.has('clear')) {
    switches.clear()
    return { kind: 'cleared', fault: '' }
  }
  if (off !== null) {
    switches.remove(off)
    return { kind: 'off', fault: off.trim() }
  }
  const fault = (form.get('fault') ?? '').trim()
  try {
    await switches.apply(fault)
    return { kind: 'on', fault }
  } catch (error) {
    if (!isCoatcheckError(error)) throw error
    return { refusal: error.message }
  }
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`)
}
