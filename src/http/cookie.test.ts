import { describe, expect, it } from 'vitest'
import { createCookies, putSetCookie, readCookie } from './cookie.ts'
import { createHeadersSink } from './headers-sink.ts'

const NAME = '__Host-coatcheck'
const TICKET = 'A'.repeat(98)
const ours = `${NAME}=${TICKET}`

describe('reading', () => {
  it.each([ours, `a=b; ${ours}`, `${ours}; a=b`, `a=b;${ours};c=d`, `;;  ;\t${ours}`, `=nameless; ${ours}`])(
    'finds it in %j',
    (header) => {
      expect(readCookie(header, NAME)).toEqual({ status: 'one', value: TICKET })
    },
  )

  it.each([
    '',
    'a=b',
    `x${ours}`,
    `a=${ours}`,
    `"${ours}"`,
    `${NAME} =${TICKET}`,
    NAME,
    `=${ours}`,
    ours.toLowerCase(),
    `$Version=1,${ours}`,
  ])('finds nothing in %j', (header) => {
    expect(readCookie(header, NAME)).toEqual({ status: 'none' })
  })

  it('takes a quoted or escaped value as it stands', () => {
    expect(readCookie(`${NAME}="${TICKET}"`, NAME)).toEqual({ status: 'one', value: `"${TICKET}"` })
    expect(readCookie(`$Version=1; ${NAME}=%41`, NAME)).toEqual({ status: 'one', value: '%41' })
  })

  // Of 256 bytes before the name, only these three begin a pair. No byte after it counts as part of the name.
  it('is byte-exact: every byte before and after the name, and white space that some servers trim', () => {
    const bytes = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i))
    const odd = ['\u00a0', '\u2000', '\u2028', '\u3000', '\ufeff']
    const found = (header: string) => readCookie(header, NAME).status === 'one'
    expect([...bytes, ...odd].filter((b) => found(b + ours))).toEqual(['\t', ' ', ';'])
    expect([...bytes, ...odd].filter((b) => found(`a=b; ${b}${ours}`))).toEqual(['\t', ' ', ';'])
    const after = [...bytes, ...odd].filter((b) => b !== '=' && found(`${NAME}${b}=${TICKET}`))
    expect(after).toEqual([])
  })

  it('never says which of several is ours', () => {
    for (let count = 2; count <= 50; count++) {
      const header = Array.from({ length: count }, (_, i) => (i === 0 ? ours : `${NAME}=evil${i}`)).join('; ')
      expect(readCookie(header, NAME)).toEqual({ status: 'duplicate', count })
    }
    expect(readCookie(`${ours}; ${ours}`, NAME)).toEqual({ status: 'duplicate', count: 2 })
  })

  it('does work that is linear in the header: 5,000 cookies and 16 KB of the worst kinds', () => {
    const headers = [
      Array.from({ length: 5000 }, (_, i) => `c${i}=v`).join('; '),
      ';'.repeat(16_384),
      ' '.repeat(16_384) + ours,
      `a=${`${NAME}=`.repeat(900)}`,
      `${' '.repeat(40)}x${NAME}=`.repeat(250),
    ]
    const started = performance.now()
    for (let round = 0; round < 100; round++) for (const header of headers) readCookie(header, NAME)
    // 500 scans. A quadratic scan of 16 KB alone would take longer.
    expect(performance.now() - started).toBeLessThan(500)
  })
})

describe('writing', () => {
  it.each([
    [
      { name: NAME, secure: true, sameSite: 'lax' as const },
      `${ours}; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Lax`,
    ],
    [
      { name: NAME, secure: true, sameSite: 'strict' as const },
      `${ours}; Max-Age=60; Path=/; HttpOnly; Secure; SameSite=Strict`,
    ],
    [
      { name: 'coatcheck', secure: false, sameSite: 'lax' as const },
      `coatcheck=${TICKET}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax`,
    ],
  ])('%j', (config, expected) => {
    const cookies = createCookies(config)
    expect(cookies.ticket(TICKET, 60)).toBe(expected)
    // Deletion needs the same attributes, or the browser keeps the cookie.
    expect(cookies.clearTicket()).toBe(expected.replace(TICKET, '').replace('60', '0'))
  })

  it('keeps transaction cookies Lax and finds their ids', () => {
    const cookies = createCookies({ name: NAME, secure: true, sameSite: 'strict' })
    const id = 'abcdefghijklmnopqrstu_'
    expect(cookies.transaction(id, 'x.y', 600)).toBe(
      `${NAME}-signin-${id}=x.y; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax`,
    )
    const header = `${NAME}-signin-${id}=x.y; ${NAME}-signin-short=1; a=${NAME}-signin-${id}x=2; ${NAME}-signin-`
    expect(cookies.transactionIds(header)).toEqual([id])
    expect(cookies.readTransaction(header, id)).toEqual({ status: 'one', value: 'x.y' })
    expect(cookies.readTicket(header)).toEqual({ status: 'none' })
  })

  it('replaces its own earlier cookie on a response and no other', () => {
    const sink = createHeadersSink()
    sink.setHeader('set-cookie', 'other=1')
    for (const line of ['a=1; Path=/', 'ab=2', 'a=3; Path=/']) putSetCookie(sink, line)
    expect(sink.getHeader('Set-Cookie')).toEqual(['other=1', 'ab=2', 'a=3; Path=/'])
  })
})
