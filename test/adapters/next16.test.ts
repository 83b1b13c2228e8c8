import { describe } from 'vitest'
import { nextSuite } from './next-suite.ts'

describe('Next 16', () => nextSuite('next16'))
