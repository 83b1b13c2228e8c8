import { describe, expect, it } from 'vitest'
import { EventRelay } from '../core/event-relay.ts'
import { EventBus } from '../core/events.ts'
import type { LogFields, Logger, LogLevel } from '../core/logger.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import { createLineLogger } from './line-logger.ts'
import { startLog } from './log.ts'

type Entry = readonly [level: LogLevel, fields: LogFields, message: string]

function recorder(least?: LogLevel): { logger: Logger; entries: Entry[] } {
  const entries: Entry[] = []
  const levels = ['debug', 'info', 'warn', 'error'] as const
  const isLevelEnabled = (level: LogLevel): boolean => levels.indexOf(level) >= levels.indexOf(least ?? 'debug')
  const methods = levels.map((level) => [
    level,
    (fields: LogFields, text: string) => void entries.push([level, fields, text]),
  ])
  return {
    logger: { ...(Object.fromEntries(methods) as unknown as Logger), ...(least && { isLevelEnabled }) },
    entries,
  }
}

const given = (logger: Logger) => ({ logger, level: 'silent', debug: null }) as const
const found = { sessionId: 'uk.id', kind: 'user' } as const

describe('the log', () => {
  it('writes a line for an event: its name, its fields, a sentence', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    const stop = startLog(bus, given(logger))
    bus.emit('session.ended', { sessionId: 'uk.id', reason: 'signed-out' })
    stop()
    bus.emit('session.ended', { sessionId: 'uk.id', reason: 'signed-out' })
    const fields = { event: 'session.ended', sessionId: 'uk.id', reason: 'signed-out' }
    expect(entries).toEqual([['info', fields, 'session ended']])
  })

  it('escapes what could forge a line or drive a terminal', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, given(logger))
    bus.emit('session.ended', { sessionId: 'uk.id', reason: 'x\r\n{"level":30}\u001b[2J\u009b\u202e\u0000' })
    expect(entries[0]?.[1]['reason']).toBe('x\\u000d\\u000a{"level":30}\\u001b[2J\\u009b\\u202e\\u0000')
    bus.emit('request.refused', { code: 'X', route: 'GET /'.padEnd(5000, 'a') })
    expect(String(entries[1]?.[1]['route']).length).toBeLessThan(250)
  })

  it('does not listen to what a logger does not want, so that it costs nothing', () => {
    const { logger, entries } = recorder('info')
    const bus = new EventBus()
    startLog(bus, given(logger))
    const hot = ['session.found', 'token.hit', 'redis.operation', 'redis.near-read'] as const
    expect(hot.filter((name) => bus.hasListeners(name))).toEqual([])
    bus.emit('session.found', found)
    bus.emit('session.missed', { reason: 'expired' })
    bus.emit('session.missed', { reason: 'lost', sessionId: 'uk.id' })
    expect(entries.map(([level]) => level)).toEqual(['warn'])
  })

  it('logs a failure of every request once in ten seconds, with the number of lines it withheld', () => {
    const { logger, entries } = recorder()
    const clock = createFakeClock()
    const bus = new EventBus()
    startLog(bus, given(logger), clock)
    const fail = (id: number, code = 'COATCHECK_REDIS_TIMEOUT'): void =>
      bus.emit('session.find-failed', { sessionId: `uk.${id}`, code })
    for (let i = 0; i < 1000; i++) fail(i)
    fail(0, 'COATCHECK_REDIS_OOM')
    clock.advance(10_000)
    fail(1000)
    expect(entries.map(([, { code, withheld }]) => [code, withheld])).toEqual([
      ['COATCHECK_REDIS_TIMEOUT', undefined],
      ['COATCHECK_REDIS_OOM', undefined],
      ['COATCHECK_REDIS_TIMEOUT', 999],
    ])
  })

  it('logs every write that was not awaited in development, with its place', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, { ...given(logger), isDevelopment: true })
    const late = { operation: 'session.set', code: 'COATCHECK_HEADERS_SENT', at: 'routes/theme.js:14' }
    for (let i = 0; i < 2; i++) bus.emit('session.write-unawaited', { ...late })
    const text = 'session.set() at routes/theme.js:14 was not awaited, and it failed: write "await" before it'
    expect(entries.map(([, , said]) => said)).toEqual([text, text])
  })

  it('logs one of several writes that were not awaited in production', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, given(logger), createFakeClock())
    for (let i = 0; i < 2; i++)
      bus.emit('session.write-unawaited', { operation: 'session.set', code: 'COATCHECK_HEADERS_SENT' })
    expect(entries.map(([, , text]) => text)).toEqual([
      'session.set() was not awaited, and it failed: write "await" before it',
    ])
  })

  it('leads with what is wrong with a write that fails with "await" too', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, given(logger), createFakeClock())
    const what = 'update(fn): fn is asynchronous.'
    bus.emit('session.write-unawaited', { operation: 'session.update', code: 'COATCHECK_SESSION_UPDATE', what })
    expect(entries[0]?.[2]).toBe('session.update() failed: update(fn): fn is asynchronous. It was not awaited either')
  })

  it('takes failures that differ only in the ids of their requests for one', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, given(logger), createFakeClock())
    const fail = (n: number, error: string): void =>
      bus.emit('signin.failed', {
        ...{ provider: 'entra', code: 'COATCHECK_SIGNIN_REJECTED', error },
        ...{ traceId: `trace-${n}`, correlationId: `correlation-${n}`, providerTime: `2026-01-01 00:00:${n}Z` },
      })
    for (let i = 0; i < 50; i++) fail(i, 'invalid_grant')
    expect(entries).toHaveLength(1)
    expect(entries[0]?.[1]).toMatchObject({ error: 'invalid_grant', traceId: 'trace-0' })
  })

  it('writes at most 20 different lines of one event in ten seconds, then how many it withheld', () => {
    const { logger, entries } = recorder()
    const clock = createFakeClock()
    const bus = new EventBus()
    startLog(bus, given(logger), clock)
    const fail = (error: string): void =>
      bus.emit('signin.failed', { provider: 'entra', code: 'COATCHECK_SIGNIN_REJECTED', error })
    for (let i = 0; i < 1000; i++) fail(`made_up_${i}`)
    expect(entries).toHaveLength(20)
    bus.emit('request.refused', { code: 'COATCHECK_SIGNIN_REJECTED', route: 'GET /callback' })
    expect(entries).toHaveLength(21)
    clock.advance(10_000)
    fail('another')
    expect(entries.at(-1)?.[1]).toMatchObject({ error: 'another', withheld: 980 })
  })

  it('writes the other refusals while a stranger varies what a forged token says', () => {
    const { logger, entries } = recorder()
    const bus = new EventBus()
    startLog(bus, given(logger), createFakeClock())
    const refuse = (route: string, check: string, got?: string): void =>
      bus.emit('request.refused', { code: 'COATCHECK_REQUEST_INVALID', route, check, ...(got && { got }) })
    for (let i = 0; i < 1000; i++) refuse('POST /backchannel-logout', 'audience', `junk-${i}`)
    expect(entries).toHaveLength(20)
    refuse('POST /backchannel-logout', 'signature')
    refuse('POST /logout', 'audience')
    bus.emit('request.refused', { code: 'COATCHECK_ORIGIN_REFUSED', route: 'POST /backchannel-logout' })
    expect(entries.slice(20).map(([, { code, route, check }]) => [code, route, check])).toEqual([
      ['COATCHECK_REQUEST_INVALID', 'POST /backchannel-logout', 'signature'],
      ['COATCHECK_REQUEST_INVALID', 'POST /logout', 'audience'],
      ['COATCHECK_ORIGIN_REFUSED', 'POST /backchannel-logout', undefined],
    ])
  })

  it('logs lost sessions once in ten seconds, and each other missing session at debug', () => {
    const { logger, entries } = recorder()
    const clock = createFakeClock()
    const bus = new EventBus()
    startLog(bus, given(logger), clock)
    for (let i = 0; i < 500; i++) bus.emit('session.missed', { reason: 'lost', sessionId: `uk.${i % 7}` })
    for (let i = 0; i < 30; i++) bus.emit('session.missed', { reason: 'expired' })
    clock.advance(10_000)
    bus.emit('session.missed', { reason: 'lost', sessionId: 'uk.8' })
    const warnings = entries.filter(([level]) => level === 'warn')
    expect(warnings.map(([, { withheld }]) => withheld)).toEqual([undefined, 499])
    expect(entries).toHaveLength(32)
  })

  it('logs an event that two instances share once, to one logger, also when the second instance starts later', () => {
    const { logger, entries } = recorder()
    const relay = new EventRelay()
    const [first, second] = [new EventBus(), new EventBus()]
    startLog(first, given(logger))
    relay.attach(first)
    relay.emit('redis.status', { status: 'ready', server: 'a:1' })
    startLog(second, given(logger))
    relay.attach(second)
    relay.emit('redis.status', { status: 'circuit-open', server: 'a:1' })
    expect(entries.map(([level, { status }]) => [level, status])).toEqual([
      ['info', 'ready'],
      ['warn', 'circuit-open'],
    ])
  })
})

describe('the logger of our own', () => {
  const linesOf = (level: LogLevel | 'silent', debug: string | null): string[] => {
    const bus = new EventBus()
    const lines: string[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (chunk) => lines.push(String(chunk)) > 0
    try {
      const stop = startLog(bus, { logger: null, level, debug })
      bus.emit('session.found', { ...found })
      bus.emit('token.hit', { userKey: 'uk', provider: 'p', resource: 'r' })
      bus.emit('session.created', { ...found })
      bus.emit('redis.status', { status: 'reconnecting', server: 'a:1', code: 'COATCHECK_REDIS_UNREACHABLE' })
      bus.emit('error', { code: 'COATCHECK_REDIS_OOM', operation: 'session.touch' })
      stop()
    } finally {
      process.stderr.write = write
    }
    return lines.map((line) => (JSON.parse(line) as { event: string }).event)
  }

  it.each([
    ['debug', null, ['session.found', 'token.hit', 'session.created', 'redis.status', 'error']],
    ['info', null, ['session.created', 'redis.status', 'error']],
    ['warn', null, ['redis.status', 'error']],
    ['error', null, ['error']],
    ['silent', null, []],
    ['warn', 'coatcheck:token', ['token.hit', 'redis.status', 'error']],
    ['silent', 'coatcheck:*', ['session.found', 'token.hit', 'session.created', 'redis.status', 'error']],
  ] as const)('at %s with DEBUG=%s writes %j', (level, debug, expected) => {
    expect(linesOf(level, debug)).toEqual(expected)
  })

  it('writes what pino would, one line each', () => {
    const lines: string[] = []
    const clock = createFakeClock(1_000)
    createLineLogger(clock, (line) => lines.push(line)).warn({ event: 'x' }, 'a\nb')
    expect(lines).toEqual([
      `{"level":40,"time":1000,"pid":${process.pid},"name":"coatcheck","event":"x","msg":"a\\nb"}\n`,
    ])
  })
})
