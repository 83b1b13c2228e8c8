/**
 * Auth.js' adapter contract, as far as it is common to next-auth 4, next-auth 5 and @auth/core: written down here so that none
 * of them has to be installed for another's types. Their fields differ in detail and applications add their own, hence the open
 * signatures; test/types compares with the real ones.
 */
/* eslint-disable @typescript-eslint/no-explicit-any -- open to the fields of each version and of the application */
export interface AuthJsUser {
  id: string
  email: string
  emailVerified: Date | null
  [field: string]: any
}

export interface AuthJsAccount {
  userId: string
  type: any
  provider: string
  providerAccountId: string
  [field: string]: any
}

export interface AuthJsSession {
  sessionToken: string
  userId: string
  expires: Date
}

export interface AuthJsVerificationToken {
  identifier: string
  token: string
  expires: Date
}

export interface AuthJsAuthenticator {
  userId: string
  credentialID: string
  providerAccountId: string
  counter: number
  credentialBackedUp: boolean
  credentialPublicKey: string
  credentialDeviceType: string
  transports?: string | null
}

type AccountKey = Pick<AuthJsAccount, 'provider' | 'providerAccountId'>

/** Auth.js calls these. Absence is `null`; a store that cannot answer rejects with a `RedisError`. */
export interface AuthJsAdapter {
  /** @throws {SessionError} `COATCHECK_EMAIL_TAKEN` */
  createUser(user: any): Promise<AuthJsUser>
  getUser(id: string): Promise<AuthJsUser | null>
  getUserByEmail(email: string): Promise<AuthJsUser | null>
  getUserByAccount(account: AccountKey): Promise<AuthJsUser | null>
  /** @throws {SessionError} `COATCHECK_EMAIL_TAKEN`, `COATCHECK_USER_UNKNOWN` */
  updateUser(changes: { id: string; [field: string]: any }): Promise<AuthJsUser>
  /** With sessions, accounts and authenticators. */
  deleteUser(userId: string): Promise<AuthJsUser | null>
  /** @throws {SessionError} `COATCHECK_ACCOUNT_LINKED` when it is another user's */
  linkAccount(account: any): Promise<any>
  unlinkAccount(account: AccountKey): Promise<any>
  getAccount(providerAccountId: string, provider: string): Promise<any>
  createSession(session: AuthJsSession): Promise<AuthJsSession>
  getSessionAndUser(sessionToken: string): Promise<{ session: AuthJsSession; user: AuthJsUser } | null>
  /** Only of what is there: `null` for a session that has ended. */
  updateSession(changes: Partial<AuthJsSession> & { sessionToken: string }): Promise<AuthJsSession | null>
  /** A request under way does not bring it back. */
  deleteSession(sessionToken: string): Promise<AuthJsSession | null>
  createVerificationToken(token: AuthJsVerificationToken): Promise<AuthJsVerificationToken>
  /** In one step: of any number of callers exactly one gets it. */
  useVerificationToken(token: { identifier: string; token: string }): Promise<AuthJsVerificationToken | null>
  /** @throws {SessionError} `COATCHECK_ACCOUNT_LINKED` for a credential that is there */
  createAuthenticator(authenticator: AuthJsAuthenticator): Promise<AuthJsAuthenticator>
  getAuthenticator(credentialID: string): Promise<AuthJsAuthenticator | null>
  listAuthenticatorsByUserId(userId: string): Promise<AuthJsAuthenticator[]>
  /** @throws {SessionError} `COATCHECK_USER_UNKNOWN` */
  updateAuthenticatorCounter(credentialID: string, counter: number): Promise<AuthJsAuthenticator>
}

/** What Auth.js has no word for. */
export interface AuthJsSessions {
  /** Sessions of the user that are alive. `id` is a name that opens nothing, for `revokeSession`. */
  listSessionsByUser(userId: string): Promise<{ readonly id: string; readonly expires: Date }[]>
  revokeSession(id: string): Promise<boolean>
  /** @returns how many were ended */
  revokeSessionsByUser(userId: string, options?: { readonly exceptSessionToken?: string }): Promise<number>
}

export type CoatcheckAuthJsAdapter = AuthJsAdapter & AuthJsSessions
