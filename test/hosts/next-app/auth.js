// The test puts its instance here before the first request; a build has none, and no environment either.
import { coatcheck } from 'coatcheck'

export const auth = globalThis[Symbol.for('coatcheck.scenario.auth')] ?? coatcheck()
