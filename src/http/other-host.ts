/**
 * In development, stops a sign-in that starts at another address than the base URL. It applies to a loopback base URL only: in production,
 * a proxy may change the `Host` header.
 *
 * If the host name differs, the browser keeps separate cookies for `127.0.0.1` and `localhost`, so the callback would not find the sign-in.
 * If the port differs, the provider returns the browser to the base URL. This is wrong if no server listens there, and right behind a
 * development server that forwards requests. Only a connection attempt can distinguish these cases.
 */
import { connect, isIP } from 'node:net'
import type { ResolvedConfig } from '../config/types.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { processState } from '../core/process-state.ts'
import { acceptsHtml, HOME } from './error-response.ts'
import { withCommonHeaders } from './request-session.ts'
import { type Page, pageResponse } from './page.ts'

type Place = Pick<ResolvedConfig<object>, 'baseUrl' | 'basePath' | 'loopback' | 'pages'>

interface Navigation {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** The `Host` header. Only these pages depend on it. */
  readonly host: string | null | undefined
}

const CONNECT_MS = 500

/** @returns `null` for every other request, and if a proxy may have changed the `Host` header */
export async function answerToOtherHost(navigation: Navigation, place: Place): Promise<Response | null> {
  const { method, path, headers, host } = navigation
  const { baseUrl, basePath, loopback, pages } = place
  if (!loopback || method !== 'GET' || path !== `${basePath}/login` || !acceptsHtml(headers)) return null
  const asked = typedAddress(host, baseUrl)
  if (asked === null || asked.host === baseUrl.host) return null
  const page =
    asked.port === baseUrl.port ? otherName(asked.origin, baseUrl) : await otherPort(asked.origin, baseUrl, headers)
  return page && withCommonHeaders(pageResponse(page, pages, 400))
}

/** The address that the browser shows. A service name as host means a proxy, and such a request passes. */
function typedAddress(host: string | null | undefined, baseUrl: URL): URL | null {
  const text = `${baseUrl.protocol}//${host ?? ''}`
  if (!host || !URL.canParse(text)) return null
  const url = new URL(text)
  return isLoopbackHost(url.hostname) || isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 ? url : null
}

function otherName(asked: string, { origin }: URL): Page {
  announce('host', asked, origin, `open ${origin} instead`)
  return {
    title: `Open ${origin} instead`,
    text: `This page was opened at ${asked}, and the base URL is ${origin}. Browsers keep the cookies of the two apart, so a sign-in that begins here could not be completed. To sign in here, set COATCHECK_BASE_URL to ${asked}.`,
    icon: 'alert',
    action: { href: `${origin}/`, text: `Open ${origin}` },
  }
}

/** Only for browsers, which mark a navigation. Tests listen on random ports. */
async function otherPort(asked: string, baseUrl: URL, headers: Headers): Promise<Page | null> {
  if (headers.get('sec-fetch-mode') !== 'navigate') return null
  const { origin } = baseUrl
  announce(
    'port',
    asked,
    origin,
    `the browser returns there; if no proxy leads from there to here, set COATCHECK_BASE_URL to ${asked}`,
  )
  if (await listens(baseUrl)) return null
  return {
    title: `Nothing answers at ${origin}`,
    text: `This page was opened at ${asked}, and the base URL is ${origin}. The identity provider sends the browser to the base URL after a sign-in, and nothing listens there. To sign in here, set COATCHECK_BASE_URL to ${asked}.`,
    icon: 'alert',
    action: HOME,
  }
}

/** A server that does not answer in time may still be there. */
function listens({ hostname, port, protocol }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: Number(port) || (protocol === 'https:' ? 443 : 80),
      timeout: CONNECT_MS,
    })
    const end = (isThere: boolean): void => {
      socket.destroy()
      resolve(isThere)
    }
    socket
      .once('connect', () => end(true))
      .once('timeout', () => end(true))
      .once('error', () => end(false))
  })
}

/** Logged once for each kind and base URL: a browser repeats the request at each try, and any client can invent hosts and ports. */
function announce(kind: 'host' | 'port', asked: string, origin: string, advice: string): void {
  const line = `coatcheck: a sign-in was started at ${asked}, and the base URL is ${origin}: ${advice}\n`
  processState(`announced another ${kind} than ${origin}`, () => process.stderr.write(line))
}
