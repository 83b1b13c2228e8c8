import { describe, expect, it } from 'vitest'
import { createTestApp } from '../../test/support/test-app.ts'
import { createRequestSessionFactory, type RequestSessionInput } from './request-session.ts'
import { createHeadersSink, type HeadersSink } from './headers-sink.ts'

function setup(input: Partial<RequestSessionInput> = {}) {
  const app = createTestApp({ providers: [], baseUrl: 'https://app.example' })
  let visits = 0
  const sessions = {
    visit: (...args: Parameters<typeof app.sessions.visit>) => {
      visits++
      return app.sessions.visit(...args)
    },
    duringOutage: app.sessions.duringOutage,
  }
  const sink = (input.sink ?? createHeadersSink()) as HeadersSink
  const requestSession = createRequestSessionFactory({ ...app, sessions })({ cookieHeader: null, sink, ...input })
  return { app, requestSession, sink, visits: () => visits }
}

const setCookies = (sink: HeadersSink) => (sink.getHeader('set-cookie') ?? []) as readonly string[]

describe('exchange', () => {
  it('reads nothing and touches no header until the application asks', () => {
    const { sink, visits } = setup()
    expect([visits(), sink.getHeader('cache-control'), sink.getHeader('vary')]).toEqual([0, undefined, undefined])
  })

  it('reads once, and forbids storing the response', async () => {
    const { requestSession, sink, visits } = setup()
    sink.setHeader('Cache-Control', 'public, s-maxage=60')
    sink.setHeader('Vary', 'Accept-Encoding')
    const [a, b] = await Promise.all([requestSession.getSession(), requestSession.getSession()])
    expect(a).toBe(b)
    expect(visits()).toBe(1)
    expect(sink.getHeader('cache-control')).toBe('private, no-store')
    expect(sink.getHeader('vary')).toBe('Accept-Encoding, Cookie')
    expect(setCookies(sink)).toEqual([])
  })

  it('sends one cookie although the ticket changed twice', async () => {
    const { requestSession, sink, app } = setup()
    const visit = await requestSession.getVisit()
    await visit.session.set('a', 1)
    await visit.signIn({ userId: 'u' })
    await visit.rotate()
    expect(setCookies(sink)).toHaveLength(1)
    expect(setCookies(sink)[0]).toMatch(
      /^__Host-coatcheck=[\w-]{98}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    const ticket = /=([\w-]{98});/.exec(setCookies(sink)[0] ?? '')?.[1] ?? ''
    expect((await app.sessions.find(ticket)).session?.user?.id).toBe('u')
  })

  it('clears the cookie on sign-out, also without a session', async () => {
    const { requestSession, sink } = setup()
    await (await requestSession.getVisit()).signOut()
    expect(setCookies(sink)).toEqual(['__Host-coatcheck=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax'])
  })

  it('two cookies of the name: no session, an event, nothing cleared', async () => {
    const first = setup()
    const { ticket } = await first.app.sessions.create({ userId: 'u' })
    const { requestSession, sink, app } = setup({ cookieHeader: `__Host-coatcheck=${ticket}; __Host-coatcheck=evil` })
    expect((await requestSession.getSession()).id).toBeNull()
    expect(app.seen).toContainEqual({ name: 'ticket.duplicate', event: { count: 2 } })
    expect(setCookies(sink)).toEqual([])
  })

  it('refuses a new ticket after the headers, before anything is stored', async () => {
    const { requestSession, sink, app } = setup()
    const session = await requestSession.getSession()
    sink.applyTo(new Headers())
    await expect(session.set('a', 1)).rejects.toMatchObject({ code: 'COATCHECK_HEADERS_SENT' })
    expect(app.seen.some(({ name }) => name === 'session.created')).toBe(false)
  })

  it('names the headers that have left, also where cookies are read-only by then', async () => {
    const collected = createHeadersSink()
    const sink = Object.assign(Object.create(collected) as HeadersSink, { isReadOnly: true })
    const { requestSession } = setup({ sink })
    const session = await requestSession.getSession()
    await expect(session.set('a', 1)).rejects.toMatchObject({ code: 'COATCHECK_COOKIES_READ_ONLY' })
    collected.applyTo(new Headers())
    await expect(session.set('a', 1)).rejects.toMatchObject({ code: 'COATCHECK_HEADERS_SENT' })
  })

  describe('where the response may leave without notice', () => {
    const unnoticed = () => Object.assign(createHeadersSink(), { mayLeaveUnnoticed: true })

    it('a new ticket is on the response before the store is written', async () => {
      const { requestSession, sink, app } = setup({ sink: unnoticed() })
      const session = await requestSession.getSession()
      const write = session.set('a', 1)
      const [cookie = ''] = setCookies(sink)
      expect(app.seen.some(({ name }) => name === 'session.created')).toBe(false)
      await write
      expect(setCookies(sink)).toEqual([cookie])
      const ticket = /=([\w-]{98});/.exec(cookie)?.[1] ?? ''
      expect((await app.sessions.find(ticket)).session?.data).toEqual({ a: 1 })
    })

    it('a value that is refused leaves no ticket', async () => {
      const { requestSession, sink } = setup({ sink: unnoticed() })
      const session = await requestSession.getSession()
      await expect(session.set('a', new Map())).rejects.toMatchObject({ code: 'COATCHECK_SESSION_VALUE' })
      expect(setCookies(sink)).toEqual([])
    })

    it('a sign-in that is not awaited is reported, one that is awaited is not', async () => {
      const { requestSession, app } = setup({ sink: unnoticed() })
      const reported = () => app.seen.filter(({ name }) => name === 'session.write-unawaited')
      const visit = await requestSession.getVisit()
      await visit.signIn({ userId: 'u' })
      await new Promise((next) => setImmediate(next))
      expect(reported()).toEqual([])
      void visit.signIn({ userId: 'u' })
      await expect.poll(reported).toHaveLength(1)
      expect(reported()[0]?.event).toEqual({ operation: 'visit.signIn', code: 'COATCHECK_HEADERS_SENT' })
    })
  })

  it('refuses a new ticket where cookies cannot be written; reading works', async () => {
    const { requestSession } = setup({ sink: null })
    const session = await requestSession.getSession()
    await expect(session.set('a', 1)).rejects.toMatchObject({ code: 'COATCHECK_COOKIES_READ_ONLY' })
  })

  it('an outage is an error, clears nothing, and the next call asks again', async () => {
    const { app, sink } = setup()
    let isDown = true
    const sessions = {
      visit: (...args: Parameters<typeof app.sessions.visit>) =>
        isDown ? Promise.reject(new Error('down')) : app.sessions.visit(...args),
      duringOutage: app.sessions.duringOutage,
    }
    const requestSession = createRequestSessionFactory({ ...app, sessions })({
      cookieHeader: '__Host-coatcheck=x',
      sink,
    })
    await expect(requestSession.getSession()).rejects.toThrow('down')
    expect(setCookies(sink)).toEqual([])
    isDown = false
    expect((await requestSession.getSession()).id).toBeNull()
  })
})
