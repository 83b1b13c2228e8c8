/**
 * What the entries are where there is no Node (edge runtimes, browsers): the same names, each of which says what to do when it
 * is used. Errors and their test are real, so that code which only looks at errors works.
 */
import { MisuseError } from '../core/errors.ts'

export {
  CoatcheckError,
  ConfigError,
  isCoatcheckError,
  KeyringError,
  MisuseError,
  OidcError,
  RedisError,
  SessionError,
  TokenError,
} from '../core/errors.ts'

function unsupported(name: string): () => never {
  return () => {
    // No message of its own: an error overlay shows nothing but the message, so that has to hold the advice too.
    throw new MisuseError('COATCHECK_RUNTIME_UNSUPPORTED', '', {
      why: `${name}() was called in an edge runtime or a browser, where neither node:crypto nor a connection to Redis exists.`,
    })
  }
}

// Written as it is called: Auth.js' adapters are.
export const CoatcheckAdapter = unsupported('CoatcheckAdapter')
export const coatcheck = unsupported('coatcheck')
export const consumeEvents = unsupported('consumeEvents')
export const createKeyring = unsupported('createKeyring')
export const defineConfig = unsupported('defineConfig')
export const entra = unsupported('entra')
export const getSession = unsupported('getSession')
export const getVisit = unsupported('getVisit')
export const hasTicket = unsupported('hasTicket')
export const honoAuth = unsupported('honoAuth')
export const memoryStore = unsupported('memoryStore')
export const namesEntryOf = unsupported('namesEntryOf')
export const oidc = unsupported('oidc')
export const redisStore = unsupported('redisStore')
export const requireUser = unsupported('requireUser')
export const routeHandler = unsupported('routeHandler')
export const routeHandlers = unsupported('routeHandlers')
export const secondaryStorage = unsupported('secondaryStorage')
export const sessionDataStore = unsupported('sessionDataStore')
export const withAdoption = unsupported('withAdoption')
export const withUser = unsupported('withUser')
