import { afterEach, describe, expect, it, vi } from 'vitest'
import { resolvePages } from '../config/resolve-pages.ts'
import { answerToOtherHost } from './other-host.ts'

const place = { baseUrl: new URL('http://localhost:3999'), basePath: '/auth', loopback: true, pages: resolvePages() }
const headers = new Headers({ accept: 'text/html', 'sec-fetch-mode': 'navigate' })
const ask = (host: string): Promise<Response | null> =>
  answerToOtherHost({ method: 'GET', path: '/auth/login', headers, host }, place)

afterEach(() => vi.restoreAllMocks())

describe('a sign-in at another host', () => {
  it('writes one line to stderr, for any number of names and ports that a visitor invents', async () => {
    const lines = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    for (let i = 0; i < 300; i++) await ask(`10.0.${i >> 8}.${i & 255}:3999`)
    expect(lines).toHaveBeenCalledTimes(1)
    for (let i = 0; i < 20; i++) await ask(`localhost:${4000 + i}`)
    expect(lines).toHaveBeenCalledTimes(2)
  })

  it.each(['x@127.0.0.1:3999/"><script>', '127.0.0.1:3999\\"><script>', '127.0.0.1:3999?"><script>'])(
    'shows of the host %s the origin alone',
    async (host) => {
      vi.spyOn(process.stderr, 'write').mockReturnValue(true)
      const html = (await (await ask(host))?.text()) ?? ''
      expect(html).toContain('opened at http://127.0.0.1:3999,')
      expect(html).not.toContain('<script')
    },
  )

  it('has the headers of every built-in page', async () => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const answer = await ask('127.0.0.1:3999')
    expect(answer?.headers.get('x-content-type-options')).toBe('nosniff')
    expect(answer?.headers.get('referrer-policy')).toBe('no-referrer')
    expect(answer?.headers.get('cache-control')).toBe('private, no-store')
  })
})
