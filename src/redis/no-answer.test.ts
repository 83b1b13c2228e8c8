import { describe, expect, it } from 'vitest'
import { errorWords } from '../core/errors.ts'
import { noAnswer } from './no-answer.ts'
import { SESSION_STATUS } from '../stores/redis/scripts/inspection.ts'
import { REPLACE } from '../stores/redis/scripts/session.ts'

const endpoint = 'cache.example:6379'

describe('an operation without an answer', () => {
  it.each([
    ['a command that reads', { args: ['mget', 'a', 'b'], script: null }],
    ['a script that reads', { args: ['EVALSHA', SESSION_STATUS.sha1], script: SESSION_STATUS }],
  ])('says that nothing was changed: %s', (_title, call) => {
    const { what, why, fix } = errorWords(noAnswer(call, endpoint))
    expect(what).toBe('Redis at cache.example:6379 did not answer a read within the deadline.')
    expect(why).toMatch(/this process was too slow.*nothing was changed/)
    expect(fix).toMatch(/SLOWLOG GET.*this process.*REDIS_COMMAND_TIMEOUT_MS/)
  })

  it.each([
    ['a script that writes', { args: ['EVALSHA', REPLACE.sha1], script: REPLACE }],
    ['its text', { args: ['EVAL', REPLACE.lua], script: null }],
    ['a script that computes its command', { args: ['EVAL', 'return redis.call(ARGV[1], KEYS[1])'], script: null }],
    ['a command that is not known', { args: ['XADD', 'k'], script: null }],
  ])('leaves open what was changed: %s', (_title, call) => {
    const { what, why, fix } = errorWords(noAnswer(call, endpoint))
    expect(what).toBe('Redis at cache.example:6379 did not answer a write within the deadline.')
    expect(why).toMatch(/may or may not have happened/)
    expect(fix).toMatch(/REDIS_WRITE_TIMEOUT_MS/)
  })
})
