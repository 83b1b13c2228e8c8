/**
 * Adds to the provider's responses what only Entra ID sends: its endpoint addresses, extra fields of a token response, error codes.
 * Applications must neither need them nor fail on them.
 */
import { randomUUID } from 'node:crypto'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { systemClock } from '../core/clock.ts'
import { refusalBody, unknownApplication } from './entra-refusals.ts'
import { entraEndpoints } from './entra-routes.ts'
import type { ResolvedDevOptions } from './options.ts'
import { findUserBySubject, objectIdOf } from './people.ts'

type Body = Record<string, unknown>

export function dressAnswer(context: KoaContextWithOIDC, origin: string, options: ResolvedDevOptions): void {
  const { tenantId } = options
  // Set by the protocol stack, so missing for a request that never reached it.
  const oidc = context.oidc as KoaContextWithOIDC['oidc'] | undefined
  const body = context.body as Body | undefined
  if (oidc?.route === 'discovery' && body) context.body = dressDiscovery(body, origin, tenantId)
  if (oidc?.route === 'token' && context.status === 200 && body) context.body = dressToken(oidc, body, tenantId)
  if (body?.error === 'invalid_grant') context.body = dressError(body, 70008, 'bad_token')
  const number = /^AADSTS(\d+)/.exec(String(body?.error_description))?.[1]
  if (body?.error === 'invalid_scope' && number !== undefined) context.body = dressError(body, Number(number))
  if (body?.error === 'invalid_client' && oidc?.route === 'token') dressClientError(context, oidc, options)
  withoutIssuer(context)
}

function dressDiscovery(body: Body, origin: string, tenantId: string): Body {
  const { authorization_response_iss_parameter_supported: _, ...rest } = body
  return {
    ...rest,
    ...entraEndpoints(origin, tenantId),
    tenant_region_scope: null,
    cloud_instance_name: new URL(origin).host,
  }
}

/** @see https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow */
function dressToken(oidc: KoaContextWithOIDC['oidc'], body: Body, tenantId: string): Body {
  const subject = oidc.entities.Account?.accountId
  const user = subject === undefined ? undefined : findUserBySubject(subject)
  const asked = (oidc.body as Body | undefined)?.client_info === '1' && user
  const clientInfo = asked && { uid: objectIdOf(asked), utid: tenantId }
  return {
    ...body,
    ext_expires_in: body.expires_in,
    ...(clientInfo && { client_info: Buffer.from(JSON.stringify(clientInfo)).toString('base64url') }),
  }
}

function dressError(body: Body, number: number, suberror?: string): Body {
  return {
    ...body,
    error_codes: [number],
    ...(suberror !== undefined && { suberror }),
    timestamp: new Date(systemClock.now()).toISOString(),
    trace_id: randomUUID(),
    correlation_id: randomUUID(),
  }
}

const wrongAssertion = { number: 700027, text: 'The signature of the client assertion could not be verified.' }

function wrongSecret(clientId: string): { readonly number: number; readonly text: string } {
  const text = `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${clientId}'.`
  return { number: 7000215, text }
}

/** Entra ID distinguishes an unknown application from a wrong secret. */
function dressClientError(
  context: KoaContextWithOIDC,
  { client }: KoaContextWithOIDC['oidc'],
  options: ResolvedDevOptions,
): void {
  if (client) {
    const refusal = options.clientKeys ? wrongAssertion : wrongSecret(client.clientId)
    context.body = refusalBody({ error: 'invalid_client', ...refusal })
    return
  }
  const { client_id: clientId } = (context.oidc.params ?? {}) as { client_id?: string }
  context.status = 400
  context.body = refusalBody(unknownApplication(clientId ?? 'unknown', options))
}

/** Entra ID does not send `iss` with the code (RFC 9207), and for `common` it would not match the metadata. */
function withoutIssuer(context: KoaContextWithOIDC): void {
  const location = context.response.get('location')
  if (context.status !== 303 || !URL.canParse(location)) return
  const url = new URL(location)
  if (!url.searchParams.has('iss')) return
  url.searchParams.delete('iss')
  context.set('location', url.href)
}
