import { describe, expect, it } from 'vitest'
import { debugAreas } from './debug-areas.ts'

const areas = ['redis', 'session', 'token', 'signin', 'http', 'error'] as const
const all = [...areas]

describe('DEBUG', () => {
  it.each([
    ['coatcheck:*', all],
    ['coatcheck*', all],
    ['coatcheck', all],
    ['*', all],
    ['express:*, coatcheck:redis', ['redis']],
    ['coatcheck:session coatcheck:token', ['session', 'token']],
    ['coatcheck:s*', ['session', 'signin']],
    ['coatcheck:*,-coatcheck:redis', all.slice(1)],
    ['express:*', []],
    ['coatcheck:[a-z]+', []],
    ['', []],
  ])('%s asks for %j', (text, wanted) => {
    expect(areas.filter(debugAreas(text))).toEqual(wanted)
  })
})
