/** The root entry: what an application imports to configure Coatcheck, to name its types and to distinguish its errors. */
import '../core/node-version.ts'
export { coatcheck } from '../app/coatcheck.ts'
export { defineConfig } from '../config/define-config.ts'
export { type EntraOptions, entra } from '../oidc/entra.ts'
export { oidc, type OidcOptions } from '../oidc/provider.ts'
export { createKeyring, type Keyring, namesEntryOf } from '../keyring/keyring.ts'
export {
  type AnyCoatcheckError,
  CoatcheckError,
  ConfigError,
  isCoatcheckError,
  KeyringError,
  MisuseError,
  OidcError,
  RedisError,
  type SafeDetails,
  SessionError,
  TokenError,
} from '../core/errors.ts'
export type { ErrorCode } from '../core/error-catalogue.ts'
export type { EventMap } from '../core/event-map.ts'
export type { AnyListener, EventName, Events, Listener } from '../core/events.ts'
export type { Operation, OperationFacts, OperationName, OperationObserver } from '../core/operations.ts'
export type { LogFields, Logger, LogLevel } from '../core/logger.ts'
export type { Duration } from '../core/duration.ts'
export type { CoatcheckTokens } from '../app/adopted-tokens.ts'
export type { Coatcheck, ReadyOptions } from '../app/coatcheck.ts'
export type { HttpConfig, HttpEdge, HttpInstance } from '../http/instance.ts'
export type {
  RequestSession,
  RequestSessionFactory,
  RequestSessionInput,
  SessionRequest,
} from '../http/request-session.ts'
export type { RouteContext } from '../http/routes.ts'
export type { RegisteredData, Register } from '../app/register.ts'
export type { CookieOptions, SessionOptions } from '../config/session-settings.ts'
export type { Identity, Options, ProviderOptions, SignInOptions, PagesOptions, TokenOptions } from '../config/types.ts'
export type { OutagePolicy } from '../config/session-settings.ts'
export type { Json } from '../core/json.ts'
export type {
  DeepReadonly,
  Found,
  MissReason,
  OptionalKeys,
  Revoked,
  Session,
  SessionCopy,
  SessionInfo,
  SessionStore,
  TicketSink,
  Visit,
} from '../session/types.ts'
export type { Authentication, Device, SignInInput, User } from '../session/sign-in-input.ts'
export type {
  AccessToken,
  GetAccessTokenOptions,
  LastRefresh,
  OAuthAccount,
  ProviderSelection,
  ProviderTokenStatus,
  ResourceTokenStatus,
  TokenCache,
  TokenSet,
  TokenTarget,
  UserTokens,
} from '../token/types.ts'
export type { Store, StoreContext, StoreFactory } from '../stores/store.ts'
