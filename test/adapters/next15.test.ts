import { describe } from 'vitest'
import { nextSuite } from './next-suite.ts'

describe('Next 15', () => nextSuite('next15'))
