/** The layer between socket and protocol: Entra ID's addresses, counting, faults, and the provider's own pages. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { RequestCounters } from './counters.ts'
import { dressAnswer } from './entra-answers.ts'
import { type EntraRefusal, refusalBody, refusalPage, refusedAuthorization, unknownTenant } from './entra-refusals.ts'
import {
  entraEndpoints,
  foreignTenantIn,
  isTenantlessDiscovery,
  matchRoute,
  type MatchedRoute,
  withConsentPrompt,
} from './entra-routes.ts'
import type { FaultSwitches } from './fault-switches.ts'
import type { FaultPlan } from './faults.ts'
import { handleFaults } from './faults-page.ts'
import type { ResolvedDevOptions } from './options.ts'
import {
  faultsPath,
  homePage,
  icon,
  iconPath,
  stylesheetPath,
  submitScript,
  submitScriptPath,
  writePage,
} from './pages.ts'
import { peekForm } from './peek-form.ts'
import type { DevUser } from './people.ts'
import { handleSignIn } from './sign-in-interaction.ts'
import { stylesheet } from './stylesheet.ts'

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>

export interface SiteOptions {
  readonly faults: FaultPlan
  readonly switches: FaultSwitches
  readonly options: ResolvedDevOptions
  readonly url: string
  readonly isEnabled: (user: DevUser) => boolean
  /** Applies the provider's clock error to a response of the token endpoint. */
  readonly skewed: (body: Record<string, unknown>) => Promise<Record<string, unknown>>
}

export class DevSite {
  readonly counters = new RequestCounters()
  readonly #site: SiteOptions
  readonly #applicationOrigins: readonly string[]
  #provider: Provider
  #protocol: Listener
  /** Requests that are executed but never answered. */
  readonly #unanswered = new WeakSet<IncomingMessage>()

  constructor(site: SiteOptions, provider: Provider) {
    this.#site = site
    this.#applicationOrigins = [...new Set(site.options.redirectUris.map((uri) => new URL(uri).origin))]
    this.#provider = provider
    this.#protocol = this.#listenerOf(provider)
  }

  /** This provider answers from the next request on. */
  serve(provider: Provider): void {
    this.#provider = provider
    this.#protocol = this.#listenerOf(provider)
  }

  #listenerOf(provider: Provider): Listener {
    const { url, options, skewed } = this.#site
    provider.use(async (context, next) => {
      await next()
      if (this.#unanswered.has(context.req)) {
        context.respond = false
        context.res.destroy()
        return
      }
      const dressed = context as unknown as KoaContextWithOIDC
      dressAnswer(dressed, url, options)
      if (hasTokens(dressed)) dressed.body = await skewed(dressed.body as Record<string, unknown>)
    })
    return provider.callback()
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      this.#site.options.onError(error instanceof Error ? error : new Error('The request failed.', { cause: error }))
      if (response.headersSent) response.destroy()
      else response.writeHead(500).end()
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { options } = this.#site
    const { pathname, search } = new URL(request.url ?? '/', this.#site.url)
    if (isTenantlessDiscovery(pathname)) {
      await this.#tenantlessDiscovery(response)
      return
    }
    const route = matchRoute(pathname, options.tenantId)
    if (route) {
      await this.#toProtocol(request, response, route, search)
      return
    }
    if (pathname.startsWith(`/${options.tenantId}/signin/`)) {
      const { isEnabled } = this.#site
      const interaction = { provider: this.#provider, isEnabled, applicationOrigins: this.#applicationOrigins }
      await handleSignIn(interaction, request, response)
      return
    }
    const foreign = foreignTenantIn(pathname)
    if (foreign) refuse(response, unknownTenant(foreign.tenant, options), foreign.isPage)
    else if (pathname === faultsPath) await handleFaults(this.#site.switches, this.#site.url, request, response)
    else this.#ownPage(pathname, response)
  }

  async #toProtocol(
    request: IncomingMessage,
    response: ServerResponse,
    route: MatchedRoute,
    search: string,
  ): Promise<void> {
    const form = route.name === 'token' ? await peekForm(request) : undefined
    const grantType = form && (form.get('grant_type') ?? 'none')
    this.counters.add(route.name, grantType)

    const fault = this.#site.faults.take(route.name, grantType)
    if (fault?.delayMs !== undefined) await delay(fault.delayMs)
    if (fault?.drop === 'before') {
      response.destroy()
      return
    }
    if (fault?.status !== undefined) {
      response.writeHead(fault.status, fault.headers).end(fault.body)
      return
    }
    if (fault?.drop === 'after') this.#unanswered.add(request)
    const refusal = route.name === 'authorize' && refusedAuthorization(new URLSearchParams(search), this.#site.options)
    if (refusal) {
      refuse(response, refusal, true)
      return
    }

    const query = route.name === 'authorize' ? withConsentPrompt(search) : search
    request.url = route.path + query
    // The provider derives the addresses that it builds from the difference of the two URLs.
    Object.assign(request, { originalUrl: `/${this.#site.options.tenantId}/v2.0${request.url}` })
    await this.#protocol(request, response)
  }

  async #tenantlessDiscovery(response: ServerResponse): Promise<void> {
    const { url, options } = this.#site
    const own = await fetch(`${this.#provider.issuer}/.well-known/openid-configuration`)
    const document = { ...((await own.json()) as object), ...entraEndpoints(url, options.tenantId) }
    const body = JSON.stringify({ ...document, issuer: `${url}/{tenantid}/v2.0` })
    response.writeHead(200, { 'content-type': 'application/json' }).end(body)
  }

  #ownPage(pathname: string, response: ServerResponse): void {
    const send = (type: string, body: string): void => {
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(body)
    }
    if (pathname === '/') writePage(response, homePage(this.#provider.issuer))
    else if (pathname === stylesheetPath) send('text/css; charset=utf-8', stylesheet)
    else if (pathname === iconPath) send('image/svg+xml', icon)
    else if (pathname === submitScriptPath) send('text/javascript; charset=utf-8', submitScript)
    else if (pathname === '/counters') send('application/json', JSON.stringify(this.counters.all()))
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\n')
  }
}

/** Responds like Entra ID: with a page for a browser, otherwise with JSON. */
function refuse(response: ServerResponse, refusal: EntraRefusal, isPage: boolean): void {
  if (isPage) writePage(response, refusalPage(refusal))
  else response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refusalBody(refusal)))
}

function hasTokens({ status, body, oidc }: KoaContextWithOIDC): boolean {
  // Set by the protocol stack, so missing for a request that never reached it.
  const route = (oidc as KoaContextWithOIDC['oidc'] | undefined)?.route
  return route === 'token' && status === 200 && typeof body === 'object' && body !== null
}
