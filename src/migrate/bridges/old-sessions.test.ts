/** Session stores of express-session and @fastify/session that fail in their own ways. */
import { describe, expect, it } from 'vitest'
import { callbackSessions } from './old-sessions.ts'

type Failing = () => unknown

const down = (): Error => new Error('the old store is down')
const sessionsOf = (fail: Failing) => callbackSessions({ get: fail, destroy: fail }, Date.now)

describe.each<[string, Failing]>([
  ['rejects in place of its callback', () => Promise.reject(down())],
  [
    'throws',
    () => {
      throw down()
    },
  ],
])('a store that %s', (_title, fail) => {
  it('rejects the read and the end', async () => {
    await expect(sessionsOf(fail).read('id')).rejects.toThrow('the old store is down')
    await expect(sessionsOf(fail).end('id')).rejects.toThrow('the old store is down')
  })
})

it('a rejection that says that there is no session, or no JSON, is an answer', async () => {
  const absent = Object.assign(new Error('not found'), { code: 'ENOENT' })
  expect(await sessionsOf(() => Promise.reject(absent)).read('id')).toBeNull()
  expect(await sessionsOf(() => Promise.reject(new SyntaxError('Unexpected token'))).read('id')).toBe('unreadable')
})

it('a store that rejects after its callback has given the session', async () => {
  const get = (_id: string, done: (error: unknown, session?: unknown) => void): Promise<never> => {
    done(null, { userId: 'ada' })
    return Promise.reject(down())
  }
  const sessions = callbackSessions({ get, destroy: (_id, done) => done() }, Date.now)
  expect(await sessions.read('id')).toEqual({ data: { userId: 'ada' }, endsAtMs: null })
})
