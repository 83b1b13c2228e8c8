import { expect, it } from 'vitest'
import { EventBus } from '../core/events.ts'
import { createFakeClock } from '../testing/fake-clock.ts'
import type { RedisClientPort } from './client-port.ts'
import { observedClient } from './observed-client.ts'

it('passes the limits of the client on: a write that waits for replicas has its own', () => {
  const client = { writeTimeoutMs: 5, lastingTimeoutMs: 7 } as RedisClientPort
  const observed = observedClient(client, { events: new EventBus(), clock: createFakeClock() }, null)
  expect([observed.writeTimeoutMs, observed.lastingTimeoutMs]).toEqual([5, 7])
})
