/**
 * A sign-in that was started on another host than that of the base URL, in development: the browser sends cookies of
 * `127.0.0.1` neither to `localhost` nor the other way, so the callback would find no sign-in. The page says which address to
 * open. Only a loopback base URL is looked at: elsewhere the names of hosts are the business of proxies.
 */
import { isIP } from 'node:net'
import type { ResolvedConfig } from '../config/types.ts'
import { isLoopbackHost } from '../core/loopback-host.ts'
import { processState } from '../core/process-state.ts'
import { acceptsHtml } from './error-response.ts'
import { neverStored } from './exchange.ts'
import { pageResponse } from './page.ts'

type Place = Pick<ResolvedConfig<object>, 'baseUrl' | 'basePath' | 'loopback' | 'pages'>

interface Navigation {
  readonly method: string
  readonly path: string
  readonly headers: Headers
  /** The `Host` header. It decides about nothing but this page. */
  readonly host: string | null | undefined
}

/** @returns `null` for every other request, and where a proxy may have changed the `Host` header */
export function answerToOtherHost({ method, path, headers, host }: Navigation, place: Place): Response | null {
  const { baseUrl, basePath, loopback, pages } = place
  if (!loopback || method !== 'GET' || path !== `${basePath}/login` || !acceptsHtml(headers)) return null
  const asked = otherOrigin(host, baseUrl)
  if (asked === null) return null
  announce(asked, baseUrl)
  const page = {
    title: `Open ${baseUrl.origin} instead`,
    text: `This page was opened at ${asked}, and the base URL is ${baseUrl.origin}. Browsers keep the cookies of the two apart, so a sign-in that begins here could not be completed. To sign in here, set COATCHECK_BASE_URL to ${asked}.`,
    icon: 'alert',
    action: { href: `${baseUrl.origin}/`, text: `Open ${baseUrl.origin}` },
  } as const
  return neverStored(pageResponse(page, pages, 400))
}

/**
 * The origin that the browser shows, when it is another one. A proxy that puts its own target into `Host` has another port or
 * the name of a service there, and such a request goes on.
 */
function otherOrigin(host: string | null | undefined, baseUrl: URL): string | null {
  const url = `${baseUrl.protocol}//${host ?? ''}`
  if (!host || !URL.canParse(url)) return null
  const { hostname, port, origin } = new URL(url)
  const isTyped = isLoopbackHost(hostname) || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
  return isTyped && port === baseUrl.port && hostname !== baseUrl.hostname ? origin : null
}

/** Once: the browser shows it at each try. */
function announce(asked: string, baseUrl: URL): void {
  const line = `coatcheck: a sign-in was started at ${asked}, and the base URL is ${baseUrl.origin}: open ${baseUrl.origin} instead\n`
  processState(`announced ${line}`, () => process.stderr.write(line))
}
