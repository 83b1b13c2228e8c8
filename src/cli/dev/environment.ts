/** The environment that `coatcheck dev` runs an application in: its own, with what leads to the workbench in place of the rest. */
import { processEnvironment, variable } from '../../config/environment.ts'
import { settings } from '../../config/settings.ts'
import { systemRandom } from '../../core/random.ts'
import type { Workbench } from '../../dev/workbench.ts'
import type { Project } from '../project/project.ts'
import { pathOf } from './start-command.ts'

const KEY_BYTES = 32

/** What would mix the user's own Redis into ours. Blank is "not set", also where a framework reads `.env.local` itself. */
const redisVariables = settings.filter(({ root }) => root === 'redisStore()').flatMap(({ env }) => env)

export function applicationEnvironment(
  project: Project,
  { environment, redis }: Workbench,
): Readonly<Record<string, string | undefined>> {
  const own = processEnvironment()
  return {
    ...own,
    PATH: pathOf(project, own.PATH),
    ...(redis.kind !== 'url' && Object.fromEntries(redisVariables.map((name) => [name, '']))),
    ...environment,
    // Drawn for this run: what it seals is gone with the Redis of this run, or opens with the application's own key.
    ...(variable(own, 'COATCHECK_KEYS') === undefined && {
      COATCHECK_KEYS: `dev:${systemRandom.bytes(KEY_BYTES).toString('base64')}`,
    }),
  }
}

/** Whether the user's own settings name a Redis, which a run with ours leaves aside. */
export function namesRedis(): boolean {
  return variable(processEnvironment(), 'REDIS_URL') !== undefined
}
