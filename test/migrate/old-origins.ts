/** All old applications that the tests of the bridges run with, together with their bridges. */
import type { createClient } from 'redis'
import type { OldApp } from './old-apps.ts'
import { withBridge } from './old-bridges.ts'
import { oldPackages } from './old-packages.ts'

type Client = ReturnType<typeof createClient>

export const makers: readonly (readonly [string, (client: Client) => Promise<OldApp>])[] = oldPackages.map(
  ([name, make]) => [name, async (client) => withBridge(await make(client))],
)
