/**
 * Refuses the requests that Entra ID refuses on its own page: an unknown redirect URI, application or tenant. Entra ID does not
 * redirect these, because it cannot trust the address. The page shows the sent value, the registered value and the remedy.
 */
import { randomUUID } from 'node:crypto'
import { systemClock } from '../core/clock.ts'
import { safeText } from '../core/redact.ts'
import { html, type Html } from './html.ts'
import type { ResolvedDevOptions } from './options.ts'
import { layout, type Page } from './pages.ts'
import { ignoresPort, isRegistered } from './redirect-uris.ts'

export interface EntraRefusal {
  /** The AADSTS number. */
  readonly number: number
  readonly error: string
  /** In Entra ID's words; names no person. */
  readonly text: string
  readonly advice: Html
}

type Registered = Pick<ResolvedDevOptions, 'clientId' | 'redirectUris' | 'tenantId'>

const SHOWN_CHARACTERS = 300
const GUID_OR_DOMAIN = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[a-z0-9-]+\.)+[a-z]{2,})$/i

/** Returns why Entra ID would refuse the sign-in request, or `null`. */
export function refusedAuthorization(query: URLSearchParams, registered: Registered): EntraRefusal | null {
  const clientId = query.get('client_id')
  const redirectUri = query.get('redirect_uri')
  if (clientId !== null && clientId !== registered.clientId) return unknownApplication(clientId, registered)
  const isKnown = redirectUri === null || isRegistered(redirectUri, registered.redirectUris)
  return isKnown ? null : unknownRedirectUri(redirectUri, registered)
}

export function unknownApplication(clientId: string, registered: Registered): EntraRefusal {
  const sent = safeText(clientId, SHOWN_CHARACTERS)
  return {
    number: 700016,
    error: 'unauthorized_client',
    text: `Application with identifier '${sent}' was not found in the directory '${registered.tenantId}'.`,
    advice: html`<p>The client id that was sent:</p>
      <p><code>${sent}</code></p>
      <p>The one that is registered here:</p>
      <p><code>${registered.clientId}</code></p>
      <p>
        Set <code>AZURE_AD_CLIENT_ID</code> (with <code>oidc()</code>: <code>OIDC_CLIENT_ID</code>) to it, or start the
        application with <code>npx coatcheck dev</code>, which sets it.
      </p>`,
  }
}

/** @param tenant tenant in the path of the request */
export function unknownTenant(tenant: string, registered: Registered): EntraRefusal {
  const sent = safeText(tenant, SHOWN_CHARACTERS)
  const isPossible = GUID_OR_DOMAIN.test(tenant)
  return {
    number: isPossible ? 90002 : 900023,
    error: isPossible ? 'invalid_tenant' : 'invalid_request',
    text: isPossible
      ? `Tenant '${sent}' not found. Check to make sure you have the correct tenant ID.`
      : `Specified tenant identifier '${sent}' is neither a valid DNS name, nor a valid external domain.`,
    advice: html`<p>The only tenant of this provider:</p>
      <p><code>${registered.tenantId}</code></p>
      <p>
        Set <code>AZURE_AD_TENANT_ID</code> and <code>ENTRA_ISSUER</code> to it, or start the application with
        <code>npx coatcheck dev</code>, which sets both.
      </p>`,
  }
}

function unknownRedirectUri(redirectUri: string, { clientId, redirectUris }: Registered): EntraRefusal {
  const sent = safeText(redirectUri, SHOWN_CHARACTERS)
  const difference = differenceOf(redirectUri, redirectUris)
  return {
    number: 50011,
    error: 'invalid_request',
    text: `The redirect URI '${sent}' specified in the request does not match the redirect URIs configured for the application '${clientId}'.`,
    advice: html`<p>The redirect URI that was sent:</p>
      <p><code>${sent}</code></p>
      <p>${redirectUris.length === 1 ? 'The one that is registered:' : 'Those that are registered:'}</p>
      ${redirectUris.map((uri) => html`<p><code>${uri}</code></p>`)} ${difference && html`<p>${difference}</p>`}
      <p>
        Set <code>COATCHECK_BASE_URL</code> to the address under which the browser reaches the application, or register
        the other one. With <code>startDevProvider()</code> its option <code>redirectUris</code> does that, with
        <code>npx coatcheck dev</code> the option <code>--port</code>.
      </p>`,
  }
}

/** Describes how the sent address differs from a registered one, if there is only one difference. */
function differenceOf(sent: string, registered: readonly string[]): string | null {
  if (!URL.canParse(sent)) return 'What was sent is no absolute address.'
  const url = new URL(sent)
  for (const text of registered) {
    const other = new URL(text)
    const isPortIgnored = ignoresPort(sent) && ignoresPort(text)
    const parts = (['protocol', 'hostname', 'port', 'pathname'] as const).filter(
      (part) => url[part] !== other[part] && !(part === 'port' && isPortIgnored),
    )
    const [part] = parts
    if (parts.length !== 1 || part === undefined) continue
    if (part === 'hostname' && isLoopback(url) && isLoopback(other))
      return `Only the host differs: ${url.hostname} and ${other.hostname} are two hosts, although they are one machine. Open the application at ${other.origin}.`
    if (part === 'pathname') return `Only the path differs: ${url.pathname} was sent, ${other.pathname} is registered.`
    if (part === 'port') return `Only the port differs: ${portOf(url)} was sent, ${portOf(other)} is registered.`
    return `Only the ${part === 'protocol' ? 'scheme' : 'host'} differs.`
  }
  return null
}

function isLoopback({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}

function portOf({ port, protocol }: URL): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port
}

/** Like the page of Entra ID: number, text, and the ids that its support asks for. */
export function refusalPage({ number, text, advice }: EntraRefusal): Page {
  const { trace_id: traceId, correlation_id: correlationId, timestamp } = idsOf()
  return layout(
    { title: 'Sign-in is not possible', status: 400 },
    html`<h1>Sign-in is not possible</h1>
      <p role="alert"><strong>AADSTS${number}</strong>: ${text}</p>
      ${advice}
      <p>More: <code>npx coatcheck explain AADSTS${number}</code></p>
      <p>Trace ID: ${traceId}<br />Correlation ID: ${correlationId}<br />Timestamp: ${timestamp}</p>`,
  )
}

/** Like the JSON of Entra ID's token and discovery endpoints. */
export function refusalBody({ number, error, text }: Pick<EntraRefusal, 'number' | 'error' | 'text'>): object {
  const ids = idsOf()
  const trace = `Trace ID: ${ids.trace_id} Correlation ID: ${ids.correlation_id} Timestamp: ${ids.timestamp}`
  return {
    error,
    error_description: `AADSTS${number}: ${text} ${trace}`,
    error_codes: [number],
    ...ids,
    error_uri: `https://login.microsoftonline.com/error?code=${number}`,
  }
}

function idsOf(): { readonly timestamp: string; readonly trace_id: string; readonly correlation_id: string } {
  const timestamp = new Date(systemClock.now())
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, 'Z')
  return { timestamp, trace_id: randomUUID(), correlation_id: randomUUID() }
}
