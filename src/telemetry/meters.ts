/**
 * All metrics in one table: their names, their meaning, and their labels. OpenTelemetry and Prometheus
 * follow it, and a test compares docs/telemetry.md with it. Every label has few values: no id, no address, no user text.
 * Names are those of OpenTelemetry; `prometheusName` derives the names for Prometheus.
 */
export interface Meter {
  readonly name: string
  /** `gauge`: one value per server, which exists while Coatcheck uses the server. */
  readonly kind: 'counter' | 'duration' | 'gauge'
  /** UCUM, as OpenTelemetry requires: `{session}` names the counted thing, `s` are seconds. */
  readonly unit: string
  readonly description: string
  readonly labels: readonly Label[]
  /** Set if all labels have known values. These start at 0, so that the first event is an increase and not a new series. */
  readonly values?: Readonly<Partial<Record<Label, readonly string[]>>>
  /** Set if the semantic conventions have a name for the same thing. */
  readonly conventionalName?: string
}

export type Label =
  | 'outcome'
  | 'kind'
  | 'reason'
  | 'why'
  | 'policy'
  | 'provider'
  | 'step'
  | 'code'
  | 'channel'
  | 'operation'
  | 'server'
  | 'origin'

/** The reasons that Coatcheck sets. An application's own reasons may be any text, so they share the label `other`. */
export const END_REASONS: readonly string[] = [
  'limit',
  'provider-logout',
  'revoked',
  'sign-in-failed',
  'signed-in',
  'signed-out',
  'signed-out-by-user',
  'undelivered',
  'other',
]

export const meters = {
  sessionFinds: {
    ...counter('session.find', '{find}', 'Sessions that were asked for by ticket, by what was found.', ['outcome']),
    values: { outcome: ['found', 'none', 'malformed', 'expired', 'revoked', 'lost', 'unavailable'] },
  },
  sessionsCreated: {
    ...counter('sessions.created', '{session}', 'Sessions created.', ['kind']),
    values: { kind: ['anonymous', 'user'] },
  },
  sessionsEnded: {
    ...counter('sessions.ended', '{session}', 'Sessions ended by decision; those that expire end by themselves.', [
      'reason',
    ]),
    values: { reason: END_REASONS },
  },
  sessionsLost: counter(
    'sessions.lost',
    '{session}',
    'Tickets in force whose session the store has not kept. Must stay 0.',
  ),
  sessionUpdates: counter('session.updates', '{write}', 'Writes to sessions.'),
  sessionConflicts: counter(
    'session.conflicts',
    '{write}',
    'Writes that were repeated because another request wrote first.',
  ),
  sessionRotations: counter('session.rotations', '{ticket}', 'Tickets replaced by new ones.'),
  sessionRefusals: {
    ...counter('session.refusals', '{read}', 'Records that did not open, and tickets with a wrong secret.', ['why']),
    values: { why: ['unreadable', 'key-unknown', 'secret', 'ended'] },
  },
  sessionOutages: counter(
    'session.outage.answers',
    '{answer}',
    'Sessions answered by a policy while the store was away.',
    ['policy'],
  ),
  ticketDuplicates: counter('ticket.duplicates', '{request}', 'Requests with several cookies of our name.'),
  tokenReads: counter('token.reads', '{read}', 'Access tokens asked for, by what the store had.', [
    'provider',
    'outcome',
  ]),
  tokenRefreshes: duration('token.refresh.duration', 'Requests for new tokens at the provider.', [
    'provider',
    'outcome',
  ]),
  tokenWaits: duration('token.wait.duration', 'Waiting for a refresh of another process.', ['provider']),
  tokenRepeats: counter(
    'token.refresh.repeats',
    '{request}',
    'Token requests repeated because no answer had arrived.',
    ['provider'],
  ),
  tokenGrants: counter('token.unsaved.grants', '{grant}', 'Grants kept in the process while the store was away.', [
    'provider',
    'step',
  ]),
  tokenRevocations: counter(
    'token.revocations',
    '{grant}',
    'Refresh tokens revoked at their provider (RFC 7009), or not.',
    ['provider', 'outcome'],
  ),
  signIns: counter('signins', '{sign-in}', 'Sign-ins, by how far they have come.', ['provider', 'step']),
  signInFailures: counter('signin.failures', '{sign-in}', 'Sign-ins that failed, by error code.', ['provider', 'code']),
  signOuts: counter('signouts', '{sign-out}', 'Sign-outs by the user.'),
  providerLogouts: counter('provider.logouts', '{logout}', 'Logouts that the provider announced.', [
    'provider',
    'channel',
  ]),
  requestsRefused: counter(
    'requests.refused',
    '{request}',
    'Requests to our routes that were refused, by error code, without failed sign-ins.',
    ['code'],
  ),
  migrationReads: counter(
    'migration.reads',
    '{read}',
    'Records of another library that a migration read, by what came of them.',
    ['origin', 'outcome'],
  ),
  errors: counter('errors', '{error}', 'Failures that no caller was waiting for.', ['operation', 'code']),
  redisOperations: {
    ...duration('redis.operation.duration', 'Operations of Redis as callers see them, waiting included.', [
      'operation',
      'outcome',
    ]),
    conventionalName: 'db.client.operation.duration',
  },
  redisTimeouts: counter('redis.timeouts', '{operation}', 'Operations of Redis that met their deadline.', [
    'operation',
  ]),
  redisReconnects: counter('redis.reconnects', '{connection}', 'Connections to Redis that were lost.', ['server']),
  redisConnected: gauge('redis.connected', 'Whether there is a connection to the server: 1 or 0.'),
  redisCircuit: gauge('redis.circuit.open', 'Whether the circuit is open, so that nothing is sent: 1 or 0.'),
  nearReads: {
    ...counter('near.cache.reads', '{read}', 'Reads that the near cache answered, or not.', ['kind', 'outcome']),
    values: { kind: ['session', 'token'], outcome: ['hit', 'miss'] },
  },
} as const satisfies Readonly<Record<string, Meter>>

/** Not counted by events but read from the store; see `live-sessions.ts`. */
export const LIVE_SESSIONS = {
  name: 'coatcheck.sessions.live',
  unit: '{session}',
  description: 'Sessions in the store, about, as last estimated; every process reports the same figure.',
} as const

export type MeterName = keyof typeof meters

/** Seconds. From a nearby Redis to the deadline of a token request. */
export const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const

export function prometheusName({ name, kind }: Pick<Meter, 'name' | 'kind'>): string {
  const suffixes: Readonly<Record<Meter['kind'], string>> = { counter: '_total', duration: '_seconds', gauge: '' }
  return name.replaceAll('.', '_') + suffixes[kind]
}

function counter(name: string, unit: string, description: string, labels: readonly Label[] = []): Meter {
  return { name: `coatcheck.${name}`, kind: 'counter', unit, description, labels }
}

function duration(name: string, description: string, labels: readonly Label[]): Meter {
  return { name: `coatcheck.${name}`, kind: 'duration', unit: 's', description, labels }
}

function gauge(name: string, description: string): Meter {
  return { name: `coatcheck.${name}`, kind: 'gauge', unit: '1', description, labels: ['server'] }
}

/** Returns every set of labels that starts at 0. Empty if a label has unknown values. */
export function initialLabels({ labels, values }: Meter): readonly Readonly<Partial<Record<Label, string>>>[] {
  if (!values) return []
  return labels.reduce<readonly Readonly<Partial<Record<Label, string>>>[]>(
    (sets, label) => sets.flatMap((set) => (values[label] ?? []).map((value) => ({ ...set, [label]: value }))),
    [{}],
  )
}
