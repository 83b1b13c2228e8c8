import { describe, expect, it } from 'vitest'
import { type ErrorCode, errorCatalogue } from './error-catalogue.ts'
import { CoatcheckError, ConfigError, isCoatcheckError, MisuseError, RedisError } from './errors.ts'

const codes = Object.keys(errorCatalogue) as ErrorCode[]

describe('errors', () => {
  it.each(codes)('%s carries why, fix, docs and whether a retry helps', (code) => {
    const error = new CoatcheckError(code, { message: 'It happened.', details: { n: 1 } })
    const entry = errorCatalogue[code]
    expect(error).toMatchObject({ code, retryable: entry.retryable, why: entry.why, fix: entry.fix })
    expect(error.message).toBe(`It happened. ${entry.why} ${entry.fix}`)
    expect(error.docs).toBe(`npx coatcheck explain ${code} (docs/errors.md#${code.toLowerCase()})`)
    expect(code).toMatch(/^COATCHECK_[A-Z]+(?:_[A-Z]+)*$/)
    expect(entry.why).toMatch(/\.$/)
    expect(entry.status).toBeGreaterThanOrEqual(400)
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
