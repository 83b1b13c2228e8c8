/**
 * The entries for edge runtimes and browsers. Each function has the same name as on Node, and throws an error that states what to do. The
 * error classes and `isCoatcheckError` are the real ones, so code that only handles errors works.
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
    // The empty text selects the message of the catalogue, which contains the advice: an error overlay shows only the message.
    throw new MisuseError('COATCHECK_RUNTIME_UNSUPPORTED', '', {
      why: `${name}() was called in an edge runtime or a browser, where neither node:crypto nor a connection to Redis exists.`,
    })
  }
}

// In upper case like the adapters of Auth.js.
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
