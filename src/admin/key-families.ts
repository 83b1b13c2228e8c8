/** Describes each key family for people: its name, its content and its readers. The whole table: docs/redis-keys.md. */
import type { KeyFamily } from '../stores/key-names.ts'

export interface FamilyFacts {
  readonly name: string
  readonly what: string
  readonly readBy: string
  /** Keys of this family may have no TTL: users and accounts of Auth.js, values of better-auth without expiry, the list of canaries. */
  readonly mayStay?: true
}

export const FAMILIES: { readonly [Family in KeyFamily]: FamilyFacts } = {
  session: {
    name: 'sessions',
    what: 'the sealed record of a session',
    readBy: 'every request that comes with a ticket',
  },
  generation: {
    name: 'generations',
    what: 'the generation of a user (records that begin with another one are dead), and the index of few sessions',
    readBy: 'every request of the user, together with the record',
  },
  sessions: {
    name: 'long indexes',
    what: 'ids of the sessions of a user who has many, by the time they end',
    readBy: 'lists of devices, limits, sign-out (was it the last one?)',
  },
  tokens: {
    name: 'tokens',
    what: 'sealed grants and access tokens of a user, a field for each',
    readBy: 'getAccessToken, one field at a time',
  },
  ended: {
    name: 'ended markers',
    what: 'why a session ended, one word in the clear',
    readBy: 'a request whose session is gone, and sign-in, which never brings the id back',
  },
  revocations: {
    name: 'revocation outboxes',
    what: 'sealed grants of ended sign-ins, to be revoked at their provider',
    readBy: 'the worker that revokes refresh tokens',
  },
  signIn: {
    name: 'sign-ins',
    what: 'that a sign-in has been answered, and which key had sealed it in the cookie of its browser',
    readBy: 'the callback route, which answers each sign-in once',
  },
  providerSession: {
    name: 'provider sessions',
    what: 'ids of our sessions that came from one session or user of a provider',
    readBy: 'logout that the provider begins',
  },
  appTokens: {
    name: 'app tokens',
    what: 'sealed tokens of the application itself, or on behalf of a caller',
    readBy: 'getAppToken, getOnBehalfOfToken',
  },
  logoutToken: {
    name: 'logout tokens',
    what: 'that a logout token of a provider has been used',
    readBy: 'back-channel logout, which takes each once',
  },
  providerGate: {
    name: 'provider gates',
    what: 'failed token requests of a provider, and the time until which Coatcheck sends it none',
    readBy: 'every token request',
  },
  revocationIndex: {
    name: 'revocation index',
    what: 'users whose revocation outbox is due, and when',
    readBy: 'the worker that revokes refresh tokens',
  },
  document: {
    name: 'documents',
    what: 'a sealed document of another session library, the memory that it was ended, or a counter',
    readBy: 'the store for that library',
    mayStay: true,
  },
  documentSet: {
    name: 'document sets',
    what: 'names of documents that belong together',
    readBy: 'lists and revocations of the store for that library',
    mayStay: true,
  },
  events: {
    name: 'lifecycle events',
    what: 'what happened to sessions and tokens, with ids and reasons, for workers that follow it',
    readBy: '`consumeEvents` in your workers; never a request',
  },
  migrationReads: {
    name: 'migration reads',
    what: 'how many records of other libraries a migration read, by origin, outcome and hour',
    readBy: '`coatcheck migrate status` and coatcheck doctor',
  },
  canary: {
    name: 'canaries',
    what: 'one byte that is never read: if it is missing, Redis evicts keys',
    readBy: 'coatcheck doctor',
  },
  canaries: {
    name: 'list of canaries',
    what: 'which canaries were planted, and how much memory was used then',
    readBy: 'coatcheck doctor',
    mayStay: true,
  },
}
