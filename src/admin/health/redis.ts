/**
 * Checks Redis: the connection, authentication, then each server. A failed check skips only the checks that depend on it, so that each
 * cause is reported once.
 */
import type { Options } from '../../config/types.ts'
import type { RedisFeature } from '../../stores/redis/acl-rights.ts'
import { createKeyFinder } from '../../redis/key-finder.ts'
import type { RedisSetup } from '../../stores/redis/options.ts'
import type { ServerContext } from '../context.ts'
import { checkCanaries, earlierMemoryOf, plantCanaries, plantedCanaries } from './canaries.ts'
import { checkSuppliedClient } from './client-options.ts'
import type { HealthNotes } from './health-report.ts'
import type { ExaminationOptions, HealthContext } from './health-context.ts'
import { checkProbeKey } from './probe-key.ts'
import { checkDurability } from './redis-durability.ts'
import { checkMemory } from './redis-memory.ts'
import { checkReach } from './redis-reach.ts'
import { checkRights } from './redis-rights.ts'
import { checkServer, checkTracking } from './redis-server.ts'
import { serverInfoOf, type ServerReport } from './server-info.ts'

/** @returns the open context, or `null` if it cannot be opened. The caller closes it. */
export async function checkRedis(
  notes: HealthNotes,
  context: HealthContext,
  options: Options,
  setup: RedisSetup,
  examination: ExaminationOptions,
): Promise<ServerContext | null> {
  const { destination } = setup
  if ('kind' in destination) {
    if (!(await checkReach(notes, destination, context.clock))) return null
  } else checkSuppliedClient(notes, destination)
  const opened = await context.open(options)
  try {
    await opened.store.ready()
    notes.ok('Connection', 'protocol, credentials and database are accepted')
    await checkServers(notes, opened, context, setup, examination)
    return opened
  } catch (error) {
    await opened.close()
    notes.failed('Connection', error)
    return null
  }
}

/** @throws {RedisError} if a server cannot be queried */
async function checkServers(
  notes: HealthNotes,
  { server: store, prefix }: ServerContext,
  { clock, nonce }: HealthContext,
  setup: RedisSetup,
  { canaries = false, signal = new AbortController().signal, seen }: ExaminationOptions,
): Promise<void> {
  const { client, keys } = store
  const ports = client.servers()
  const reports: ServerReport[] = []
  for (const port of ports) {
    reports.push({ port, server: ports.length > 1 ? port.endpoint : null, info: await serverInfoOf(port) })
  }
  const features = featuresOf(setup)
  const planted = await plantedCanaries(store).catch(() => null)
  // A server that refuses writes reports the reason only once.
  const writable: ServerReport[] = []
  for (const report of reports) {
    if (signal.aborted) return
    const { endpoint } = report.port
    seen?.(endpoint)
    const works = [
      await checkServer(notes, report, { clock, signal, isSharded: client.isSharded }),
      await checkRights(notes, report, { keys, prefix, features }),
      checkMemory(notes, report, earlierMemoryOf(planted, endpoint), clock.now()),
      checkDurability(notes, report, setup.limits.durability),
    ]
    if (setup.nearCache !== null) await checkTracking(notes, report)
    if (works.every((one) => one)) writable.push(report)
  }
  await checkCanaries(notes, store, planted, clock)
  if (writable.length === 0) return
  const find = await createKeyFinder(client)
  for (const report of writable) await checkProbeKey(notes, report, { client, keys, find, clock, nonce: nonce() })
  if (!canaries) return
  const count = await plantCanaries(store, writable, find, planted, clock)
  notes.ok('Canaries', `${count} planted`)
}

function featuresOf({ destination, limits, nearCache }: RedisSetup): readonly RedisFeature[] {
  const kind = 'kind' in destination ? destination.kind : 'single'
  return [
    ...(kind === 'single' ? [] : [kind]),
    ...(limits.durability === null ? [] : (['durability'] as const)),
    ...(nearCache === null ? [] : (['nearCache'] as const)),
  ]
}
