/**
 * Finds variables from other guides that Coatcheck ignores, and variables that another setting overrides. It does not read their values.
 */
import { type Environment, variable } from '../../config/environment.ts'
import type { RedisSetup } from '../../stores/redis/options.ts'
import type { HealthNotes } from './health-report.ts'

/** `REDIS_PORT` is not in the list: Kubernetes sets it for every service called redis. */
const OF_OTHER_GUIDES = ['REDIS_HOST', 'REDIS_DB', 'REDIS_TLS', 'REDIS_SSL'] as const

const NAME = 'Variables for Redis'

export function checkVariables(notes: HealthNotes, setup: RedisSetup | null, env: Environment): void {
  const isSet = (name: string): boolean => variable(env, name) !== undefined
  const unknown = OF_OTHER_GUIDES.filter(isSet)
  if (unknown.length > 0) notes.found('DOCTOR_REDIS_VARIABLE_IGNORED', NAME, `${unknown.join(', ')} means nothing here`)
  if (setup === null || !('kind' in setup.destination)) return
  const { destination } = setup
  const access = destination.kind === 'single' ? destination.target : destination.target.access
  const overruled = [
    ...(isSet('REDIS_PASSWORD') && access.password !== variable(env, 'REDIS_PASSWORD') ? ['REDIS_PASSWORD'] : []),
    ...(isSet('REDIS_USERNAME') && access.username !== variable(env, 'REDIS_USERNAME') ? ['REDIS_USERNAME'] : []),
  ]
  if (overruled.length > 0) {
    notes.found(
      'DOCTOR_REDIS_VARIABLE_IGNORED',
      NAME,
      `the URL or an option says something else than ${overruled.join(', ')}`,
    )
  }
}
