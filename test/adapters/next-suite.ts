import { afterAll, beforeAll, expect, it } from 'vitest'
import { withAdoption } from '../../src/adapters/next/with-adoption.ts'
import { adoptionScenarios, httpScenarios } from '../../src/testing/http-scenarios.ts'
import { heard, signedIn, visitor } from '../../src/testing/http-scenarios/visitor.ts'
import { sendRaw } from '../../src/testing/raw-http.ts'
import { createHttpWorld, type TestWorld } from '../support/http-world.ts'
import { buildNextApp, nextServer } from './next-server.ts'

/**
 * Next keeps the `Cache-Control` that a server in front of it has set, and drops that of a route handler. `Vary: *` stands in its place
 * (`next-sink.ts`), and the other scenarios about caches hold.
 */
const NEEDS_NODE_RESPONSE = new Set([
  'no response of Coatcheck lets a cache store it, whatever the application declares',
  'a page that reads the session takes back what was declared before to a content delivery network',
])

/** The scenario list, and what only Next has: rendering, server actions, `proxy.ts`. */
export function nextSuite(host: 'next15' | 'next16'): void {
  let world: TestWorld

  beforeAll(async () => {
    await buildNextApp(host)
    world = await createHttpWorld((auth, adopt) => nextServer(host, withAdoption(auth, { adopt })))
    await visitor(world).send('/free')
  })
  afterAll(() => world.close())

  it.each(httpScenarios.filter(({ name }) => !NEEDS_NODE_RESPONSE.has(name)))('$name', async (scenario) =>
    scenario.run(world),
  )

  it.each(adoptionScenarios)('$name', async (scenario) => scenario.run(world))

  it('a page that is rendered knows the user of an old cookie and sets no cookie; a handler sets it later', async () => {
    const { cookieName, signIn } = world.old
    const headers = { cookie: `${cookieName}=${await signIn('rendered-newcomer')}` }
    const page = await visitor(world).send('/rendered', { headers })
    expect(page.body).toContain('<title>rendered-newcomer</title>')
    expect(page.setCookies).toEqual([])
    const someone = visitor(world)
    await someone.send('/me', { headers })
    expect((await someone.me()).user?.id).toBe('rendered-newcomer')
    expect(await world.auth.sessions.listByUser('rendered-newcomer')).toHaveLength(1)
  })

  it('a page that is rendered reads its session once, however many parts ask, and sets no cookie', async () => {
    const someone = await signedIn(world)
    let body = ''
    const commands = await world.countCommands(async () => {
      const response = await someone.send('/rendered')
      body = response.body
      expect(response.setCookies).toEqual([])
      expect(response.headers.get('cache-control')).toMatch(/no-store/)
    })
    expect(commands).toBe(1)
    expect(body).toContain(`<title>${someone.userId}</title>`)
    expect(await world.countCommands(() => visitor(world).send('/rendered'))).toBe(0)
  })

  it('a page may change data, and not sign in', async () => {
    const someone = await signedIn(world)
    const written = await someone.send('/rendered?do=write')
    expect(written.body).toContain('>read</p>')
    expect(written.setCookies).toEqual([])
    expect((await someone.me()).data).toEqual({ fromPage: 'yes' })
    const before = await world.auth.sessions.listByUser('page')
    const refused = await someone.send('/rendered?do=sign-in')
    expect(refused.body).toContain('COATCHECK_COOKIES_READ_ONLY')
    expect(refused.setCookies).toEqual([])
    expect(await world.auth.sessions.listByUser('page')).toEqual(before)
    expect((await someone.me()).user?.id).toBe(someone.userId)
  })

  it('a write that a handler without routeHandler() does not await keeps the cookie, or is reported', async () => {
    const forget = { method: 'POST' }
    const newcomer = visitor(world)
    const created = heard(world, 'session.created')
    const { status, setCookies } = await newcomer.send('/unwrapped', forget)
    expect([status, setCookies]).toEqual([200, [expect.stringMatching(/^__Host-coatcheck=[\w-]+;/)]])
    await created
    expect((await newcomer.me()).data).toEqual({ late: 1 })

    const signIn = heard(world, 'session.write-unawaited')
    await visitor(world).send('/unwrapped?sign-in', forget)
    expect(await signIn).toEqual({ operation: 'visit.signIn', code: 'COATCHECK_HEADERS_SENT' })

    await world.breakStore()
    try {
      const failed = heard(world, 'session.write-unawaited')
      expect((await visitor(world).send('/unwrapped', forget)).status).toBe(200)
      expect(await failed).toMatchObject({ operation: 'session.set', code: expect.stringMatching(/^COATCHECK_REDIS_/) })
    } finally {
      await world.mendStore()
    }
  })

  it('requireUser sends a page to sign-in', async () => {
    const { status, headers } = await visitor(world).send('/rendered?do=require', { headers: { accept: 'text/html' } })
    expect([status, headers.get('location')]).toEqual([307, '/auth/login?returnTo=%2Frendered%3Fdo%3Drequire'])
    expect((await (await signedIn(world)).send('/rendered?do=require')).status).toBe(200)
  })

  it('server actions change the session, and may create and sign in', async () => {
    const stranger = visitor(world)
    const page = await stranger.send('/rendered')
    const [change, signIn] = [...page.body.matchAll(/name="(\$ACTION_ID_[0-9a-f]+)"/g)].map((match) => match[1] ?? '')
    const created = await post(stranger.ticket, change ?? '', { value: 'first' })
    expect(created.setCookies).toEqual([
      expect.stringMatching(/^__Host-coatcheck=[\w-]+; Path=\/;.*Max-Age=86400;.*Secure; HttpOnly; SameSite=lax$/i),
    ])
    // Rendering goes on in the same request, and shows what the action has written.
    expect(created.body).toContain('{&quot;fromAction&quot;:&quot;first&quot;}')
    const ticket = /^__Host-coatcheck=([\w-]+)/.exec(created.setCookies[0] ?? '')?.[1] ?? ''
    const changed = await post(ticket, change ?? '', { value: 'second' })
    expect(changed.setCookies).toEqual([])
    expect((await visitor(world, ticket).me()).data).toEqual({ fromAction: 'second' })

    const signedInNow = await post(ticket, signIn ?? '', {})
    expect(signedInNow.setCookies).toHaveLength(1)
    expect((await visitor(world, ticket).me()).user).toBeNull()
  })

  it('says in an edge runtime what to do instead', async () => {
    const { body } = await visitor(world).send('/at-the-edge')
    expect(JSON.parse(body)).toEqual({
      code: 'COATCHECK_RUNTIME_UNSUPPORTED',
      fix: expect.stringContaining('proxy.ts') as string,
    })
  })

  if (host === 'next16') {
    it('hasTicket in proxy.ts knows ours from forged and expired ones, without the store', async () => {
      const someone = await signedIn(world)
      const seen = async (ticket: string | null): Promise<string | undefined> =>
        (await visitor(world, ticket).send('/rendered')).headers.get('x-has-ticket')
      expect(await seen(someone.ticket)).toBe('true')
      expect(await seen(null)).toBe('false')
      expect(await seen(`${(someone.ticket ?? '').slice(0, -4)}AAAA`)).toBe('false')
      await world.later(25 * 3_600_000, async () => expect(await seen(someone.ticket)).toBe('false'))
    })
  }

  function post(ticket: string | null, action: string, fields: Record<string, string>) {
    const boundary = 'boundary-of-a-form'
    const parts = Object.entries({ [action]: '', ...fields })
      .map(([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
      .join('')
    const headers = {
      'content-type': `multipart/form-data; boundary=${boundary}`,
      origin: world.origin,
      host: new URL(world.origin).host,
      ...(ticket !== null && { cookie: `__Host-coatcheck=${ticket}` }),
    }
    return sendRaw(world.origin, '/rendered', { method: 'POST', headers, body: `${parts}--${boundary}--\r\n` })
  }
}
