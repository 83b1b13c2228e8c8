/** HTTP scenarios behind a shared cache that obeys RFC 9111, with an application that declares its responses public. */
import assert from 'node:assert/strict'
import type { ConformanceCase } from '../conformance.ts'
import { SharedCache } from '../shared-cache.ts'
import { CACHE_BEFORE, CACHE_LAST, type HttpWorld, signedIn, type Visitor, visitor } from './visitor.ts'

const DECLARATIONS = ['public, max-age=60', 'public, s-maxage=60', 'max-age=60, must-revalidate, s-maxage=60'] as const

interface Caching {
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
}

/** The application declares a response public before the adapter, after it, both, or when the headers are sent. */
const variants: readonly Caching[] = DECLARATIONS.flatMap((value) => {
  const behind = `cache-control=${encodeURIComponent(value)}`
  const before = { [CACHE_BEFORE]: value }
  return [
    { query: '', headers: before },
    { query: behind, headers: {} },
    { query: behind, headers: before },
    { query: '', headers: { [CACHE_LAST]: value } },
  ]
})

let targets = 0

/** Sends requests through a cache. Each variant has its own target, which all visitors share. */
function asking(world: HttpWorld, path: string, { query, headers }: Caching) {
  const cache = new SharedCache(world.origin)
  const target = `${path}${path.includes('?') ? '&' : '?'}${query}&target=${++targets}`
  const { name } = world.auth.http.config().cookie
  return (someone: Visitor) => {
    const cookie: Record<string, string> = someone.ticket === null ? {} : { cookie: `${name}=${someone.ticket}` }
    return cache.send(target, { headers: { ...cookie, ...headers } })
  }
}

function userIn(body: string): string | null {
  return (JSON.parse(body) as { user: { id: string } | null }).user?.id ?? null
}

export const cacheScenarios: readonly ConformanceCase<HttpWorld>[] = [
  {
    name: 'behind a shared cache, no visitor gets the page of another, whatever the application declares',
    async run(world) {
      for (const variant of variants) {
        const ask = asking(world, '/cached-me', variant)
        const [first, second, stranger] = [await signedIn(world), await signedIn(world), visitor(world)]
        for (const someone of [first, second, stranger, first, stranger, second]) {
          const { status, body } = await ask(someone)
          assert.equal(status, 200)
          assert.equal(userIn(body), 'userId' in someone ? someone.userId : null, JSON.stringify(variant))
        }
      }
    },
  },
  {
    name: 'behind a shared cache, no visitor gets the ticket of another, whatever the application declares',
    async run(world) {
      for (const variant of variants) {
        // Neither visitor has a cookie yet. Only the cache control of the response keeps them apart.
        const ask = asking(world, '/cached-sign-in?user=cached', variant)
        const [first, second] = [await ask(visitor(world)), await ask(visitor(world))]
        assert.deepEqual([first.fromCache, second.fromCache], [false, false], JSON.stringify(variant))
        assert.notDeepEqual(first.setCookies, [])
        assert.notDeepEqual(second.setCookies, first.setCookies)
      }
    },
  },
  {
    name: 'behind a shared cache, no browser gets the sign-in that another has started',
    async run(world) {
      for (const variant of variants) {
        const ask = asking(world, '/auth/login', variant)
        const [first, second] = [await ask(visitor(world)), await ask(visitor(world))]
        assert.deepEqual([first.status, second.status, second.fromCache], [303, 303, false], JSON.stringify(variant))
        assert.notEqual(second.headers.get('location'), first.headers.get('location'))
        assert.notDeepEqual(second.setCookies, first.setCookies)
      }
    },
  },
  {
    name: 'no response of Coatcheck lets a cache store it, whatever the application declares',
    async run(world) {
      const { ticket } = await signedIn(world)
      const asked: readonly [path: string, ticket: string | null][] = [
        ['/auth/login', null],
        ['/auth/callback?code=a&state=b', null],
        ['/auth/session', null],
        ['/auth/session', ticket],
        ['/private', null],
      ]
      for (const { headers } of variants) {
        for (const [path, cookie] of asked) {
          const answer = await visitor(world, cookie).send(path, { headers })
          assert.equal(answer.headers.get('cache-control'), 'private, no-store', path)
          assert.equal(answer.headers.has('cdn-cache-control'), false, path)
        }
      }
    },
  },
  {
    name: 'a page that reads the session takes back what was declared before to a content delivery network',
    async run(world) {
      for (const value of DECLARATIONS) {
        const { headers } = await (await signedIn(world)).send('/me', { headers: { [CACHE_BEFORE]: value } })
        assert.equal(headers.get('cache-control'), 'private, no-store')
        assert.match(headers.get('cdn-cache-control') ?? 'no-store', /^no-store$/)
      }
    },
  },
  {
    name: 'behind a shared cache, a page that reads no session is stored as the application declares',
    async run(world) {
      for (const variant of variants) {
        const ask = asking(world, '/cached-free', variant)
        const someone = await signedIn(world)
        assert.equal((await ask(someone)).fromCache, false)
        const { fromCache, setCookies } = await ask(visitor(world))
        assert.deepEqual([fromCache, setCookies], [true, []], JSON.stringify(variant))
      }
    },
  },
]
