/**
 * One process of an application that leaves its session library for our middleware: the old package `ORIGIN` of `oldPackages`
 * (`BUILD=old`), or Express with the bridge from it (`read`, `move`). The routes and signals are those of `migration-app.mjs`.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from 'redis'
import type { OldPackage } from '../../migrate/old-apps.ts'
import { oldPackages } from '../../migrate/old-packages.ts'

const { ORIGIN = '', BUILD = '', REDIS_URL = '', COATCHECK_KEYS = '' } = process.env
const client: ReturnType<typeof createClient> = createClient({ url: REDIS_URL })
await client.connect()
const [, make] = oldPackages[Number(ORIGIN)] ?? []
if (!make) throw new Error(`There is no old package ${ORIGIN}.`)
const old = await make(client)
const { handler, close } =
  BUILD === 'old' ? { handler: oldHandler(old), close: undefined } : await bridged(old, BUILD as 'read' | 'move')
const server = createServer(handler)
server.listen(0, '127.0.0.1', () => process.stdout.write(`listening ${(server.address() as AddressInfo).port}\n`))
process.stdin.resume().on('end', () => {
  server.close(() => void Promise.all([close?.(), old.close?.(), client.close()]))
})

function oldHandler({ ask, signIn }: OldPackage): RequestListener {
  const answer = async (url: URL, cookie: string): Promise<{ data: object; lines: readonly string[] }> => {
    if (url.pathname === '/sign-in') {
      const header = await signIn(url.searchParams.get('user') ?? '')
      return { data: {}, lines: header.split('; ') }
    }
    const { userId, lines } = await ask(cookie)
    return { data: userId === null ? {} : { user: userId }, lines }
  }
  return (request, response) => {
    answer(new URL(request.url ?? '', 'http://localhost'), request.headers.cookie ?? '').then(
      ({ data, lines }) => response.setHeader('set-cookie', lines).end(JSON.stringify(data)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  }
}

async function bridged(of: OldPackage, mode: 'read' | 'move') {
  const [{ default: express }, { coatcheck }, { expressAuth }, { redisStore }, { bridgeOf }] = await Promise.all([
    import('express'),
    import('../../../src/app/coatcheck.ts'),
    import('../../../src/adapters/express.ts'),
    import('../../../src/stores/redis/redis-store.ts'),
    import('../../migrate/old-bridges.ts'),
  ])
  const auth = coatcheck({
    ...{ baseUrl: 'https://app.example', keys: COATCHECK_KEYS },
    store: redisStore({ url: REDIS_URL, commandTimeoutMs: 3000, writeTimeoutMs: 5000 }),
  })
  const web = expressAuth(auth, { adopt: bridgeOf(of, { mode, extend: false }) })
  const app = express()
  app.use(web)
  app.get('/me', async (request, response) => {
    const { user, data } = await web.getSession(request)
    const { cart: _cart, ...own } = data
    response.json(user ? { user: user.id, ...own } : {})
  })
  app.get('/end', async (request, response) => {
    const { user, expiresAtMs } = await web.getSession(request)
    response.json({ endsAtMs: user ? String(expiresAtMs) : '0' })
  })
  app.post('/set', async (request, response) => {
    await (await web.getSession(request)).update((data) => void Object.assign(data, request.query))
    response.json({})
  })
  app.post('/sign-out', async (request, response) => {
    await (await web.getVisit(request)).signOut()
    response.json({})
  })
  await auth.ready()
  return { handler: app, close: () => auth.close() }
}
