/**
 * Checks the connection to Redis step by step, so that the first failing step is the cause: host name, port, protocol, certificate. Each
 * step has its own deadline. It sends no credentials.
 */
import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/clock.ts'
import { probeCertificate, type ShownCertificate } from '../../redis/certificate-probe.ts'
import { diagnose, redisError } from '../../redis/diagnose.ts'
import { probeEndpoint } from '../../redis/endpoint-probe.ts'
import { leavesMachine } from '../../redis/plaintext.ts'
import { type Destination, nameOfAddress, type RedisAccess, type RedisTarget } from '../../redis/target.ts'
import { daysUntil, isSoon } from './expiry.ts'
import type { FindingCode } from './finding-catalogue.ts'
import type { HealthNotes } from './health-report.ts'

const STEP_MS = 3000
const REFUSALS: readonly (readonly [RegExp, FindingCode])[] = [
  [/^CERT_HAS_EXPIRED$/, 'DOCTOR_TLS_EXPIRED'],
  [/ALTNAME|HOSTNAME_MISMATCH/, 'DOCTOR_TLS_HOST_NAME'],
  [/SELF_SIGNED|UNABLE_TO_|CERT_UNTRUSTED|CERT_CHAIN/, 'DOCTOR_TLS_AUTHORITY'],
]

/** @returns whether further checks make sense */
export async function checkReach(notes: HealthNotes, to: Destination, clock: Clock): Promise<boolean> {
  notes.ok('Redis URL', descriptionOf(to))
  const targets = targetsOf(to)
  const isOnly = targets.length === 1
  let reached = 0
  let firstFailure: Failure | null = null
  for (const target of targets) {
    const server = isOnly ? null : nameOfAddress(target.address)
    const failure = await reach(notes, target, server, clock)
    if (failure === null) reached++
    else {
      firstFailure ??= failure
      if (!isOnly && failure.error !== null)
        notes.found('DOCTOR_NODE_AWAY', failure.step, failure.error.message, server)
    }
  }
  const error = firstFailure?.error ?? null
  if (reached === 0 && firstFailure !== null && error !== null) notes.failed(firstFailure.step, error)
  if (reached > 0) checkEncryption(notes, targets)
  return reached > 0
}

/** `error: null` if the step has written its own finding. */
interface Failure {
  readonly step: string
  readonly error: Error | null
}

async function reach(
  notes: HealthNotes,
  target: RedisTarget,
  server: string | null,
  clock: Clock,
): Promise<Failure | null> {
  const { address, tls } = target
  const endpoint = nameOfAddress(address)
  const failure = (step: string, error: unknown): Failure => ({ step, error: redisError(diagnose(error, endpoint)) })
  if (!('path' in address)) {
    try {
      await within(lookup(address.host))
    } catch (error) {
      return failure('Host name', error)
    }
  }
  try {
    await within(opened('path' in address ? { path: address.path } : address))
  } catch (error) {
    return failure('Port', error)
  }
  notes.ok('Port', `${endpoint} accepts connections`, server)
  const shown = await probeCertificate(target, STEP_MS)
  if (shown === null) {
    const wrong = await probeEndpoint(target, endpoint)
    if (wrong !== null) return { step: tls ? 'TLS' : 'Protocol', error: redisError(wrong) }
    return tls ? failure('TLS', new Error('Connection timeout')) : null
  }
  return checkCertificate(notes, shown, server, endpoint, clock) ? null : { step: 'TLS', error: null }
}

function checkCertificate(
  notes: HealthNotes,
  { refusal, validUntilMs }: ShownCertificate,
  server: string | null,
  endpoint: string,
  clock: Clock,
): boolean {
  if (refusal !== null) {
    const code = REFUSALS.find(([pattern]) => pattern.test(refusal))?.[1]
    if (code) notes.found(code, 'TLS', `${endpoint}: ${refusal}`, server)
    else
      notes.failed('TLS', redisError(diagnose(Object.assign(new Error(refusal), { code: refusal }), endpoint)), server)
    return false
  }
  const says = `the certificate is valid for ${daysUntil(validUntilMs, clock)}`
  if (isSoon(validUntilMs, clock)) notes.found('DOCTOR_TLS_EXPIRES', 'TLS', says, server)
  else notes.ok('TLS', says, server)
  return true
}

function checkEncryption(notes: HealthNotes, targets: readonly RedisTarget[]): void {
  const plain = targets.find(({ address, tls }) => tls === null && leavesMachine(address))
  if (plain) notes.found('DOCTOR_TLS_MISSING', 'TLS', `${nameOfAddress(plain.address)} is another machine`)
}

function targetsOf(to: Destination): readonly RedisTarget[] {
  switch (to.kind) {
    case 'single':
      return [to.target]
    case 'cluster':
      return to.target.nodes.map((address) => ({ ...to.target.access, address }))
    case 'sentinel':
      return to.target.sentinels
  }
}

/** Describes the destination, without the password. */
function descriptionOf(to: Destination): string {
  const access = to.kind === 'single' ? to.target : to.target.access
  const place = {
    single: () =>
      targetsOf(to)
        .map(({ address }) => nameOfAddress(address))
        .join(),
    cluster: () =>
      `a cluster at ${targetsOf(to)
        .map(({ address }) => nameOfAddress(address))
        .join(', ')}`,
    sentinel: () => `${to.kind === 'sentinel' ? to.target.name : ''}, by ${targetsOf(to).length} sentinels`,
  }[to.kind]()
  return `${place}, ${access.tls ? 'TLS' : 'no TLS'}, user ${access.username ?? 'default'}, ${secretOf(access)}, database ${access.database}`
}

function secretOf({ password, credentialsProvider }: RedisAccess): string {
  if (credentialsProvider !== null) return 'password from a provider'
  return password === null ? 'no password' : 'password set'
}

function opened(address: { readonly host: string; readonly port: number } | { readonly path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    const end = (): void => {
      socket.destroy()
      resolve()
    }
    socket.once('connect', end).on('error', reject)
    setTimeout(() => socket.destroy(), STEP_MS).unref()
  })
}

async function within<Answer>(step: Promise<Answer>): Promise<Answer> {
  const late = sleep(STEP_MS, null, { ref: false }).then(() => {
    throw new Error('Connection timeout')
  })
  return Promise.race([step, late])
}
