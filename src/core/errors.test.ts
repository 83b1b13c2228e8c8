import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCatalogue } from './error-catalogue.ts'
import { CoatcheckError, ConfigError, errorWords, isCoatcheckError, MisuseError, RedisError } from './errors.ts'

const codes = Object.keys(errorCatalogue) as ErrorCode[]

describe('errors', () => {
  it.each(codes)('%s carries why, fix, docs and whether a retry helps', (code) => {
    const error = new CoatcheckError(code, { message: 'It happened.', details: { n: 1 } })
    const entry = errorCatalogue[code]
    expect(error).toMatchObject({ code, retryable: entry.retryable, why: entry.why, fix: entry.fix })
    expect(error.message).toBe('It happened.')
    expect(error.docs).toBe(`https://github.com/coatcheck/coatcheck/blob/main/docs/errors.md#${code.toLowerCase()}`)
    expect(code).toMatch(/^COATCHECK_[A-Z]+(?:_[A-Z]+)*$/)
    expect(entry.why).toMatch(/\.$/)
    expect(entry.status).toBeGreaterThanOrEqual(400)
  })

  it('has the catalogue texts as its message where nothing specific is known', () => {
    const { why, fix } = errorCatalogue.COATCHECK_REDIS_TIMEOUT
    expect(new RedisError('COATCHECK_REDIS_TIMEOUT').message).toBe(`${why} ${fix}`)
    const edge = new MisuseError('COATCHECK_RUNTIME_UNSUPPORTED', '', { why: 'entra() was called in a browser.' })
    expect(edge.message).toBe(`entra() was called in a browser. ${errorCatalogue.COATCHECK_RUNTIME_UNSUPPORTED.fix}`)
  })

  it.each([
    ['the catalogue alone', {}, ['why', null, 'fix']],
    ['a specific message', { message: 'It happened.' }, ['It happened.', null, 'fix']],
    ['a specific why', { message: 'It happened.', why: 'It is full.' }, ['It happened.', 'It is full.', 'fix']],
    ['a specific fix', { message: 'It happened.', fix: 'Empty it.' }, ['It happened.', null, 'Empty it.']],
    ['specific texts alone', { why: 'It is full.', fix: 'Empty it.' }, ['It is full.', null, 'Empty it.']],
  ] as const)('prints what, why and fix once, in this order: %s', (_title, texts, [what, why, fix]) => {
    const error = new RedisError('COATCHECK_REDIS_OOM', texts)
    const catalogue = errorCatalogue.COATCHECK_REDIS_OOM
    const expected = { what: what === 'why' ? catalogue.why : what, why, fix: fix === 'fix' ? catalogue.fix : fix }
    expect(errorWords(error)).toEqual(expected)
    // The text that Node prints for an uncaught error.
    const printed = inspect(error)
    const places = [expected.what, expected.why, expected.fix].flatMap((text) =>
      text === null ? [] : [printed.indexOf(text)],
    )
    expect(places).not.toContain(-1)
    expect(places).toEqual([...places].sort((a, b) => a - b))
    for (const text of [expected.what, expected.why, expected.fix, catalogue.why, catalogue.fix]) {
      if (text !== null) expect(printed.split(text).length - 1, text).toBeLessThanOrEqual(1)
    }
  })

  it('prints no fix that only points to the specific message', () => {
    const error = new MisuseError('COATCHECK_INVALID_ARGUMENT', '"userId" wants a text.')
    expect(errorWords(error)).toEqual({ what: '"userId" wants a text.', why: null, fix: null })
    expect(inspect(error)).not.toContain(error.fix)
    expect(error.why).toBe(errorCatalogue.COATCHECK_INVALID_ARGUMENT.why)
  })

  it('is safe to serialise: cause and stack stay out', () => {
    const error = new RedisError('COATCHECK_REDIS_AUTH', { cause: new Error('s3cret'), details: { host: 'cache' } })
    expect(JSON.stringify(error)).not.toContain('s3cret')
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ name: 'RedisError', details: { host: 'cache' } })
    expect((error.cause as Error).message).toBe('s3cret')
  })

  it('is recognised over copies of the package, and nothing else is', () => {
    expect(isCoatcheckError(new ConfigError('COATCHECK_CONFIG_MISSING'))).toBe(true)
    expect(isCoatcheckError(new MisuseError('COATCHECK_SESSION_VALUE', 'At data.x.'))).toBe(true)
    expect(isCoatcheckError(Object.assign(new Error(), { [Symbol.for('coatcheck.error')]: true }))).toBe(true)
    for (const other of [new Error('x'), { code: 'COATCHECK_CONFIG_MISSING' }, null, undefined, 'text']) {
      expect(isCoatcheckError(other)).toBe(false)
    }
  })

  it('calls a misuse a TypeError', () => {
    const error = new MisuseError('COATCHECK_INVALID_ARGUMENT', 'userId must be a text.')
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'TypeError', code: 'COATCHECK_INVALID_ARGUMENT', retryable: false })
  })
})
