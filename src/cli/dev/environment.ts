/**
 * The environment in which `coatcheck dev` runs an application: its own variables, with those of the workbench in place of the conflicting
 * ones.
 */
import { processEnvironment, variable } from '../../config/environment.ts'
import { settings } from '../../config/settings.ts'
import { systemRandom } from '../../core/random.ts'
import type { Workbench } from '../../dev/workbench.ts'
import type { Project } from '../project/project.ts'
import { pathOf } from './start-command.ts'

const KEY_BYTES = 32

/**
 * Variables that would mix the user's own Redis into the workbench. A blank value counts as "not set", even if a framework reads
 * `.env.local` itself.
 */
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
    // Generated for this run. Its sealed values disappear with the Redis of this run. If the application has its own key, that one is used.
    ...(variable(own, 'COATCHECK_KEYS') === undefined && {
      COATCHECK_KEYS: `dev:${systemRandom.bytes(KEY_BYTES).toString('base64')}`,
    }),
  }
}

/** Whether the user's own settings name a Redis, which a run with the workbench's Redis ignores. */
export function namesRedis(): boolean {
  return variable(processEnvironment(), 'REDIS_URL') !== undefined
}
