/** Maps each event to the metrics of `meters.ts`. An event that is missing here is not counted, on purpose. */
import type { EventMap } from '../core/event-map.ts'
import type { EventName, Events } from '../core/events.ts'
import { eachOnce } from './each-once.ts'
import { END_REASONS, type Label, type MeterName } from './meters.ts'

export type LabelValues = Readonly<Partial<Record<Label, string>>>

/** Receives the metrics. `owner` is the registry behind it: instances that share a connection count its events once per owner. */
export interface MeterSink {
  readonly owner: object
  add(meter: MeterName, labels: LabelValues, count: number): void
  /** @param seconds of a `duration` */
  record(meter: MeterName, labels: LabelValues, seconds: number): void
  /** `null`: Coatcheck does not use this server any more. */
  stand(meter: MeterName, server: string, value: 0 | 1 | null): void
}

type Readings = { readonly [Name in EventName]?: (event: EventMap[Name], sink: MeterSink) => void }

const readings: Readings = {
  'session.found': (_, sink) => sink.add('sessionFinds', { outcome: 'found' }, 1),
  'session.missed': ({ reason }, sink) => {
    sink.add('sessionFinds', { outcome: reason }, 1)
    if (reason === 'lost') sink.add('sessionsLost', {}, 1)
  },
  'session.find-failed': (_, sink) => sink.add('sessionFinds', { outcome: 'unavailable' }, 1),
  'session.created': ({ kind }, sink) => sink.add('sessionsCreated', { kind }, 1),
  'session.ended': ({ reason }, sink) => sink.add('sessionsEnded', { reason: known(reason) }, 1),
  'session.user-ended': ({ reason, count }, sink) => sink.add('sessionsEnded', { reason: known(reason) }, count),
  'session.updated': ({ attempts }, sink) => {
    sink.add('sessionUpdates', {}, 1)
    if (attempts > 1) sink.add('sessionConflicts', {}, attempts - 1)
  },
  'session.rotated': (_, sink) => sink.add('sessionRotations', {}, 1),
  'session.refused': ({ why }, sink) => sink.add('sessionRefusals', { why }, 1),
  'session.write-unawaited': ({ operation, code }, sink) => sink.add('errors', { operation, code }, 1),
  'session.outage': ({ policy }, sink) => sink.add('sessionOutages', { policy }, 1),
  'ticket.duplicate': (_, sink) => sink.add('ticketDuplicates', {}, 1),
  'token.hit': ({ provider }, sink) => sink.add('tokenReads', { provider, outcome: 'hit' }, 1),
  'token.miss': ({ provider, why }, sink) => sink.add('tokenReads', { provider, outcome: why }, 1),
  'token.refreshed': ({ provider, durationMs }, sink) =>
    sink.record('tokenRefreshes', { provider, outcome: 'refreshed' }, durationMs / 1000),
  'token.refresh-failed': ({ provider, outcome, durationMs }, sink) =>
    sink.record('tokenRefreshes', { provider, outcome }, durationMs / 1000),
  'token.waited': ({ provider, durationMs }, sink) => sink.record('tokenWaits', { provider }, durationMs / 1000),
  'token.refresh-repeated': ({ provider }, sink) => sink.add('tokenRepeats', { provider }, 1),
  'token.grant-kept': ({ provider }, sink) => sink.add('tokenGrants', { provider, step: 'kept' }, 1),
  'token.grant-saved': ({ provider }, sink) => sink.add('tokenGrants', { provider, step: 'saved' }, 1),
  'token.grant-restored': ({ provider }, sink) => sink.add('tokenGrants', { provider, step: 'restored' }, 1),
  'token.grant-discarded': ({ provider }, sink) => sink.add('tokenGrants', { provider, step: 'discarded' }, 1),
  'token.revoked': ({ provider }, sink) => sink.add('tokenRevocations', { provider, outcome: 'revoked' }, 1),
  'token.revocation-failed': ({ provider, final }, sink) =>
    sink.add('tokenRevocations', { provider, outcome: final ? 'given-up' : 'failed' }, 1),
  'signin.started': ({ provider }, sink) => sink.add('signIns', { provider, step: 'started' }, 1),
  'signin.completed': ({ provider }, sink) => sink.add('signIns', { provider, step: 'completed' }, 1),
  'signin.failed': ({ provider, code }, sink) => {
    sink.add('signIns', { provider, step: 'failed' }, 1)
    sink.add('signInFailures', { provider, code }, 1)
  },
  signout: (_, sink) => sink.add('signOuts', {}, 1),
  'provider.logout': ({ provider, channel }, sink) => sink.add('providerLogouts', { provider, channel }, 1),
  'request.refused': ({ code }, sink) => sink.add('requestsRefused', { code }, 1),
  'migration.read': ({ origin, outcome }, sink) => sink.add('migrationReads', { origin, outcome }, 1),
  error: ({ operation, code }, sink) => sink.add('errors', { operation, code }, 1),
  'redis.operation': ({ operation, outcome, durationMs }, sink) => {
    sink.record('redisOperations', { operation, outcome }, durationMs / 1000)
    if (outcome === 'timeout') sink.add('redisTimeouts', { operation }, 1)
  },
  'redis.status': ({ status, server }, sink) => {
    if (status === 'circuit-open' || status === 'circuit-closed') {
      sink.stand('redisCircuit', server, status === 'circuit-open' ? 1 : 0)
      return
    }
    if (status === 'reconnecting') sink.add('redisReconnects', { server }, 1)
    const isGone = status === 'closed'
    sink.stand('redisConnected', server, isGone ? null : status === 'ready' ? 1 : 0)
    if (isGone) sink.stand('redisCircuit', server, null)
  },
  'redis.near-read': ({ kind, isHit }, sink) => sink.add('nearReads', { kind, outcome: isHit ? 'hit' : 'miss' }, 1),
}

/** Counts all later events. Returns the function that stops it. */
export function startReadings(events: Events, sink: MeterSink): () => void {
  const stops = Object.entries(readings).map(([name, read]) => {
    const reading = read as (event: EventMap[EventName], sink: MeterSink) => void
    return events.on(
      name as EventName,
      eachOnce(sink.owner, name, (event) => reading(event, sink)),
    )
  })
  return () => {
    for (const stop of stops) stop()
  }
}

function known(reason: string): string {
  return END_REASONS.includes(reason) ? reason : 'other'
}
