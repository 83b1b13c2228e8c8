import { describe, expect, it } from 'vitest'
import { probeProvider } from './provider-probe.ts'
import { resolvedProvider as provider, TEST_ISSUER as ISSUER } from '../../test/support/resolved-provider.ts'

const CALLBACK = 'https://app.test/auth/callback'
const clock = { now: () => Date.parse('2026-01-01T00:00:00Z'), monotonic: () => 0 }
const metadata = {
  issuer: ISSUER,
  token_endpoint: `${ISSUER}/token`,
  authorization_endpoint: `${ISSUER}/authorize`,
  jwks_uri: `${ISSUER}/keys`,
}
const MIB = 1024 * 1024

/** Checks whether the redirect URI is known. @param answer of the authorization endpoint */
async function asked(answer: () => Response): Promise<boolean | null> {
  const send: typeof fetch = (input) => {
    const url = input instanceof Request ? input.url : String(input)
    return Promise.resolve(url.includes('.well-known') ? Response.json(metadata) : answer())
  }
  return (await probeProvider(provider, clock, send)).knowsRedirectUri(CALLBACK)
}

describe('the question whether a redirect URI is registered', () => {
  it.each<[string, () => Response, boolean | null]>([
    ['a redirect to it', () => new Response(null, { status: 302, headers: { location: `${CALLBACK}?error=x` } }), true],
    ['a page that posts to it', () => new Response(`<form action="${CALLBACK}">`), true],
    ['a page that refuses it', () => new Response('invalid redirect_uri', { status: 400 }), false],
    ['a redirect elsewhere', () => new Response(null, { status: 302, headers: { location: `${ISSUER}/x` } }), null],
  ])('is answered by %s', async (_name, answer, known) => {
    expect(await asked(answer)).toBe(known)
  })

  it('reads no more of an answer than of any other answer of the provider', async () => {
    let bytes = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        bytes += MIB
        if (bytes > 64 * MIB) controller.close()
        else controller.enqueue(new Uint8Array(MIB))
      },
    })
    await expect(asked(() => new Response(body))).rejects.toMatchObject({ code: 'ANSWER_TOO_LARGE' })
    expect(bytes).toBeLessThan(8 * MIB)
  })
})
