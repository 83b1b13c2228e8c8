/** `coatcheck/fastify-session` where a request fails inside the callback of the store: a second reply, a failed reload. Real Redis. */
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import cookie from '@fastify/cookie'
import fastifySession from '@fastify/session'
import fastify from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CoatcheckStore } from '../../src/app/drop-ins/fastify-session.ts'
import { redisStore } from '../../src/stores/redis/redis-store.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

let redis: RedisServer
let store: CoatcheckStore
beforeAll(async () => {
  redis = await startRedisServer()
  store = new CoatcheckStore({ store: redisStore({ url: redis.url }), keys: randomBytes(32).toString('base64') })
})
afterAll(async () => {
  await store.close()
  await redis.stop()
})

describe('coatcheck/fastify-session', () => {
  it('lets Fastify log a second reply of a handler that does not return the first', async () => {
    const log = new EventEmitter()
    const secondReply = once(log, 'FST_ERR_REP_ALREADY_SENT')
    const write = (line: string): void => {
      const { err } = JSON.parse(line) as { readonly err?: { readonly code: string } }
      if (err) log.emit(err.code)
    }
    const app = fastify({ logger: { level: 'warn', stream: { write } } })
    await app.register(cookie)
    await app.register(fastifySession, { store, secret: 'a'.repeat(32), cookie: { secure: false } })
    app.get('/', async (request, reply) => {
      request.session.set('visits' as never, 1 as never)
      await request.session.save()
      void reply.send('first')
    })

    const response = await app.inject('/')

    expect([response.statusCode, response.body]).toEqual([200, 'first'])
    await secondReply
    await app.close()
  })

  it.each([
    ['get', (sid: string, callback: (error: unknown) => void) => store.get(sid, callback)],
    ['set', (sid: string, callback: (error: unknown) => void) => store.set(sid, { visits: 1 }, callback)],
  ])('returns an exception of the callback of %s to the callback', async (_name, call) => {
    const thrown = new Error('thrown by the callback')
    const called: unknown[] = []
    await new Promise<void>((resolve) => {
      call(randomBytes(16).toString('hex'), (error) => {
        called.push(error)
        if (called.length === 1) throw thrown
        resolve()
      })
    })
    expect(called).toEqual([null, expect.objectContaining({ cause: thrown }) as Error])
  })

  it.each(['the store does not answer', 'the callback of the application throws'])(
    'keeps the stored session when reload() fails because %s',
    async (why) => {
      const hangs = why.startsWith('the store')
      const app = fastify()
      await app.register(cookie)
      await app.register(fastifySession, { store, secret: 'a'.repeat(32), cookie: { secure: false } })
      app.get('/in', async (request) => {
        request.session.set('user' as never, 'ada' as never)
        return 'in'
      })
      app.get('/me', async (request) => ({ user: (request.session as unknown as { user?: string }).user ?? null }))
      app.get('/reload', async (request, reply) => {
        if (hangs) redis.pause()
        const failure = await new Promise((resolve) => {
          request.session.reload((error) => {
            if (!hangs && !error) throw new Error('of the application')
            resolve(error)
          })
        })
        redis.resume()
        expect(failure).toBeInstanceOf(Error)
        return reply.send('reloaded')
      })
      const [signedIn] = (await app.inject('/in')).cookies
      const cookies = { sessionId: signedIn?.value ?? '' }
      const reloaded = await app.inject({ url: '/reload', cookies })
      expect(reloaded.statusCode).toBe(200)
      expect((await app.inject({ url: '/me', cookies })).json()).toEqual({ user: 'ada' })
      await app.close()
    },
  )
})
