/** Clients of all majors, as an application creates them. None of them ever connects. */
import {
  createClient as createClient6,
  createCluster as createCluster6,
  createSentinel as createSentinel6,
} from 'redis'
import { createClient as createClient4 } from 'redis4'
import { createClient as createClient5, createCluster as createCluster5 } from 'redis5'
import { describe, expect, it } from 'vitest'
import type { SuppliedClient } from '../../redis/supplied-client.ts'
import { checkSuppliedClient } from './client-options.ts'
import { HealthRecord } from './health-report.ts'

function checkOptions(client: SuppliedClient): readonly string[] {
  const record = new HealthRecord()
  checkSuppliedClient(record.notes('configuration'), client)
  const { checks } = record.report()
  expect(JSON.stringify(checks)).not.toContain('planted-secret')
  return checks.map(({ finding, state, says }) => (finding ? `${finding.code} ${says}` : state))
}

const url = 'redis://user:planted-secret@127.0.0.1:1'
const rootNodes = [{ url }]

/** Each major has its own type for the options, and some of these options are deliberately wrong. */
type Create = (options: object) => SuppliedClient

describe.each([
  ['4', createClient4 as unknown as Create],
  ['5', createClient5 as unknown as Create],
  ['6', createClient6 as unknown as Create],
])('one server, major %s', (_major, create) => {
  const client = (options: object): SuppliedClient => create({ url, ...options })

  it.each<[object, string]>([
    [{}, 'ok'],
    [{ socket: { reconnectStrategy: 100, keepAlive: true }, pingInterval: 1000, name: 'app' }, 'ok'],
    [{ debug: true, retry_strategy: 'planted-secret' }, 'DOCTOR_CLIENT_OPTION_UNKNOWN debug, retry_strategy'],
    [{ socket: { socketTimeout: 5000 } }, 'DOCTOR_CLIENT_SOCKET_TIMEOUT socketTimeout is 5000 ms'],
    [{ socket: { socketTimeout: 5000 }, pingInterval: 2000 }, 'ok'],
    [{ socket: { reconnectStrategy: false } }, 'DOCTOR_CLIENT_NO_RECONNECT reconnectStrategy is false'],
    [{ keyPrefix: 'planted-secret' }, 'DOCTOR_CLIENT_KEY_PREFIX keyPrefix is set'],
    [{ readonly: true }, 'DOCTOR_CLIENT_READONLY readonly is true'],
    [
      { url: undefined, socket: { host: 'x.abc.cache.amazonaws.com', port: 6379 } },
      'DOCTOR_CLIENT_PING_INTERVAL x.abc.cache.amazonaws.com',
    ],
  ])('%j: %s', (options, seen) => {
    expect(checkOptions(client(options))).toEqual([seen])
  })
})

it('checks the defaults of the nodes of a cluster', () => {
  const defaults = { socket: { socketTimeout: 5000 } }
  for (const create of [createCluster5, createCluster6] as unknown as Create[]) {
    const cluster = create({ rootNodes, defaults, useReplicas: true })
    expect(checkOptions(cluster)).toEqual([
      'DOCTOR_CLIENT_SOCKET_TIMEOUT socketTimeout is 5000 ms',
      'DOCTOR_CLIENT_READONLY useReplicas is true',
    ])
    expect(checkOptions(create({ rootNodes }))).toEqual(['ok'])
  }
})

it('says so when a client shows nothing', () => {
  expect(checkOptions(createSentinel6({ name: 'x', sentinelRootNodes: [{ host: '127.0.0.1', port: 1 }] }))).toEqual([
    'skipped',
  ])
})
