/** Dependencies of the routes, as the composition root has assembled them. */
import type { ResolvedConfig } from '../config/types.ts'
import type { Clock } from '../core/clock.ts'
import type { EventBus } from '../core/events.ts'
import type { AttachedBridge, CookieBridge } from '../migrate/cookie-bridge.ts'
import type { ProviderLogout } from '../oidc/provider-logout.ts'
import type { ProviderClients } from '../oidc/provider-client.ts'
import type { Redemptions } from '../oidc/redemptions.ts'
import type { SignInDeps } from '../oidc/sign-in.ts'
import type { SessionStore } from '../session/types.ts'
import type { TokenCache } from '../token/types.ts'
import type { Cookies } from './cookie.ts'

export interface RouteOptions<D extends object> {
  readonly config: ResolvedConfig<D>
  readonly sessions: SessionStore<D>
  readonly tokens: Pick<TokenCache, 'setUserTokens' | 'getUserTokens'>
  readonly clients: ProviderClients
  /** Created with `redirectUriOf`. */
  readonly signIn: SignInDeps
  readonly redemptions: Redemptions
  readonly providerLogout: ProviderLogout
  readonly events: EventBus
  readonly clock: Clock
  /** Connects a bridge to this instance. */
  readonly attach: (bridge: CookieBridge) => AttachedBridge
}

export interface RouteDeps<D extends object> extends RouteOptions<D> {
  readonly cookies: Cookies
}
