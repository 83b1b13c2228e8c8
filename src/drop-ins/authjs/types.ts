/**
 * The part of Auth.js' adapter contract that next-auth 4, next-auth 5 and @auth/core share. It is written out here, so that none of them
 * must be installed for its types. Their fields differ in detail and applications add their own, hence the open signatures. test/types
 * compares with the real types.
 */
/* eslint-disable @typescript-eslint/no-explicit-any -- open to the fields of each version and of the application */
export interface AuthJsUser {
  /** Id of the user, chosen by the adapter. */
  id: string
  /** E-mail address of the user. Users are found by it. */
  email: string
  /** When the user proved the address; `null` before that. */
  emailVerified: Date | null
  [field: string]: any
}

/** An account at a provider, linked to a user, as Auth.js passes it. */
export interface AuthJsAccount {
  /** Id of the user that the account belongs to. */
  userId: string
  /** Kind of account as Auth.js names it: `oidc`, `oauth`, `email`, `webauthn`. */
  type: any
  /** Id of the Auth.js provider. */
  provider: string
  /** Id of the account at the provider. */
  providerAccountId: string
  [field: string]: any
}

/** A database session as Auth.js passes it. */
export interface AuthJsSession {
  /** The secret in the browser's cookie. The store keeps a keyed hash of it. */
  sessionToken: string
  /** Id of the signed-in user. */
  userId: string
  /** When the session ends. */
  expires: Date
}

/** A token with which a user proves an e-mail address. */
export interface AuthJsVerificationToken {
  /** The e-mail address that the token proves. */
  identifier: string
  /** The token, hashed by Auth.js. */
  token: string
  /** When the token stops working. */
  expires: Date
}

/** A WebAuthn credential of a user. */
export interface AuthJsAuthenticator {
  /** Id of the user that owns the credential. */
  userId: string
  /** Id of the credential, base64. */
  credentialID: string
  /** Id of the linked account. */
  providerAccountId: string
  /** Signature counter that the authenticator reported last. */
  counter: number
  /** Whether the credential is backed up. */
  credentialBackedUp: boolean
  /** Public key of the credential, base64. */
  credentialPublicKey: string
  /** `singleDevice` or `multiDevice`. */
  credentialDeviceType: string
  /** Transports of the authenticator, separated by commas; `null` or absent when it names none. */
  transports?: string | null
}

type AccountKey = Pick<AuthJsAccount, 'provider' | 'providerAccountId'>

/** The methods that Auth.js calls. A missing document is `null`. During an outage they reject with a `RedisError`. */
export interface AuthJsAdapter {
  /** @throws {SessionError} `COATCHECK_EMAIL_TAKEN`; `COATCHECK_SESSION_CONFLICT` if the creation took longer than a minute */
  createUser(user: any): Promise<AuthJsUser>
  /** Finds a user by id; `null` without one. */
  getUser(id: string): Promise<AuthJsUser | null>
  /** Finds a user by e-mail address; `null` without one. */
  getUserByEmail(email: string): Promise<AuthJsUser | null>
  /** Finds the user that an account is linked to; `null` without one. */
  getUserByAccount(account: AccountKey): Promise<AuthJsUser | null>
  /** @throws {SessionError} `COATCHECK_EMAIL_TAKEN`, `COATCHECK_USER_UNKNOWN` */
  updateUser(changes: { id: string; [field: string]: any }): Promise<AuthJsUser>
  /** Deletes a user with its sessions, accounts and authenticators. */
  deleteUser(userId: string): Promise<AuthJsUser | null>
  /** @throws {SessionError} `COATCHECK_ACCOUNT_LINKED` if the account belongs to another user */
  linkAccount(account: any): Promise<any>
  /** Removes the link between an account and its user. */
  unlinkAccount(account: AccountKey): Promise<any>
  /** Finds an account; `null` without one. */
  getAccount(providerAccountId: string, provider: string): Promise<any>
  /** Stores a new session. */
  createSession(session: AuthJsSession): Promise<AuthJsSession>
  /** Finds a session together with its user; `null` when either is missing or the session has expired. */
  getSessionAndUser(sessionToken: string): Promise<{
    /** The stored session. */
    session: AuthJsSession
    /** The user of the session. */
    user: AuthJsUser
  } | null>
  /** Updates a stored session. `null` if the session has ended. */
  updateSession(changes: Partial<AuthJsSession> & { sessionToken: string }): Promise<AuthJsSession | null>
  /** Deletes a session. A concurrent request does not restore it. */
  deleteSession(sessionToken: string): Promise<AuthJsSession | null>
  /** Stores a verification token until it expires. */
  createVerificationToken(token: AuthJsVerificationToken): Promise<AuthJsVerificationToken>
  /** Consumes a token in one step: of any number of callers exactly one gets it. */
  useVerificationToken(token: { identifier: string; token: string }): Promise<AuthJsVerificationToken | null>
  /** @throws {SessionError} `COATCHECK_ACCOUNT_LINKED` if the credential exists already */
  createAuthenticator(authenticator: AuthJsAuthenticator): Promise<AuthJsAuthenticator>
  /** Finds a WebAuthn credential; `null` without one. */
  getAuthenticator(credentialID: string): Promise<AuthJsAuthenticator | null>
  /** Lists the WebAuthn credentials of a user. */
  listAuthenticatorsByUserId(userId: string): Promise<AuthJsAuthenticator[]>
  /** @throws {SessionError} `COATCHECK_USER_UNKNOWN` */
  updateAuthenticatorCounter(credentialID: string, counter: number): Promise<AuthJsAuthenticator>
}

/** Session management that the Auth.js contract does not contain. */
export interface AuthJsSessions {
  /** Lists the user's live sessions. `id` is a name for `revokeSession` that opens no session. */
  listSessionsByUser(userId: string): Promise<
    {
      /** A name for the session that opens no session: not its token. */
      readonly id: string
      /** When the session ends. */
      readonly expires: Date
    }[]
  >
  /** Ends one session by the id of `listSessionsByUser`. Resolves to false when it had ended already. */
  revokeSession(id: string): Promise<boolean>
  /** @returns the number of ended sessions */
  revokeSessionsByUser(userId: string, options?: { readonly exceptSessionToken?: string }): Promise<number>
}

export type CoatcheckAuthJsAdapter = AuthJsAdapter & AuthJsSessions
