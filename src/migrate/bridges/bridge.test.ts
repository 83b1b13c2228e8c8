/** What a bridge does before the store is open. */
import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { EventBus } from '../../core/events.ts'
import { createFakeClock } from '../../testing/fake-clock.ts'
import type { CookieBridge } from '../cookie-bridge.ts'
import { fromAuth0 } from './from-auth0.ts'
import { fromAuthJs } from './from-authjs.ts'
import { fromBetterAuth } from './from-better-auth.ts'
import { fromExpressSession } from './from-express-session.ts'
import { fromFastifySession } from './from-fastify-session.ts'
import { fromIronSession } from './from-iron-session.ts'

const SECRET = 'the secret of the old application, 32 characters or more'
const REQUEST = { device: () => undefined, carried: {} }
const user = (): never => expect.fail('user() must not be called')
const origin = {
  ...{ name: 'test', libraries: null },
  openSessions: () => ({ read: () => Promise.resolve(null), end: () => Promise.resolve() }),
}

function attached(bridge: CookieBridge, events = new EventBus()) {
  let opened = 0
  const open = (): Promise<never> => {
    opened++
    return Promise.reject(new Error('opened'))
  }
  const made = bridge.attach({ open, oldRecords: open, clock: createFakeClock(), events })
  return { ...made, opened: () => opened }
}

describe('a forged cookie', () => {
  const jwe = 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA'
  it.each<[string, CookieBridge, string]>([
    ['express-session', fromExpressSession({ secret: SECRET, store: origin, user }), 'connect.sid=s%3Aid.forged'],
    ['@fastify/session', fromFastifySession({ secret: SECRET, store: origin, user }), 'sessionId=id.forged'],
    ['better-auth', fromBetterAuth({ secret: SECRET, store: origin, user }), 'better-auth.session_token=token.forged'],
    ['Auth.js', fromAuthJs({ secret: SECRET, user }), `next-auth.session-token=${jwe}`],
    ['nextjs-auth0', fromAuth0({ secret: SECRET, user }), `__session=${jwe}`],
    ['iron-session', fromIronSession({ password: SECRET, cookieName: 'iron', user }), 'iron=Fe26.2*1*a*b*c**d*e~2'],
  ])('of %s opens no store, neither at a visit nor at a sign-out', async (_name, bridge, header) => {
    const { adopt, end, opened } = attached(bridge)
    expect(bridge.mayHold(header)).toBe(true)
    expect(await adopt(header, REQUEST)).toBeNull()
    await end(header)
    expect(opened()).toBe(0)
  })
})

describe('a bridge that refuses every old cookie, as with a wrong secret', () => {
  const signed = (secret: string) => {
    const signature = createHmac('sha256', secret).update('id').digest('base64').replace(/=+$/, '')
    return `connect.sid=${encodeURIComponent(`s:id.${signature}`)}`
  }
  const bridge = () => {
    const events = new EventBus()
    const reported: unknown[] = []
    events.on('migration.all-refused', (event) => void reported.push(event))
    const { adopt } = attached(fromExpressSession({ secret: SECRET, store: origin, user }), events)
    return { adopt, reported }
  }

  it('is reported once, after 20 requests', async () => {
    const { adopt, reported } = bridge()
    for (let request = 1; request < 20; request++) await adopt(signed('another secret'), REQUEST)
    expect(reported).toEqual([])
    for (let request = 0; request < 40; request++) await adopt(signed('another secret'), REQUEST)
    expect(reported).toEqual([{ origin: 'express-session', count: 20 }])
  })

  it('is not reported once a cookie was verified', async () => {
    const { adopt, reported } = bridge()
    await expect(adopt(signed(SECRET), REQUEST)).rejects.toThrow('opened')
    for (let request = 0; request < 40; request++) await adopt(signed('another secret'), REQUEST)
    expect(reported).toEqual([])
  })
})
