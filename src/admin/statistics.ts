/** Server status (`INFO`) and key counts, estimated from a sample or exact. */
import { type KeySurvey, EXAMINED_KEYS, surveyKeys, type SurveyOptions } from './key-survey.ts'
import type { ServerContext } from './context.ts'
import { readServers, type ServerReadings } from './server-readings.ts'

/** Server status and key counts, read one after the other. */
export interface Statistics {
  /** Server status. */
  readonly servers: ServerReadings
  /** Counts of keys and sessions. */
  readonly survey: KeySurvey
  /** Live sessions per user who has a key. `null`: no user has one. */
  readonly devicesPerUser: number | null
}

/** Options of `statistics()`. */
export interface StatisticsOptions extends Pick<SurveyOptions, 'signal' | 'seen'> {
  /** Whether to count every key name and examine every key of Coatcheck. Default false: a sample, scaled up. */
  readonly exact?: boolean
  /** Number of key names to count when `exact` is false, on all servers together. Default 20,000. */
  readonly sample?: number
  /** About how many keys of the sample to examine. Default: a quarter of `sample`. */
  readonly examine?: number
}

/**
 * Reads the server status and counts keys with `SCAN`, in small steps with pauses. Only reads. Not one atomic step: keys may come
 * and go meanwhile.
 * @throws {RedisError} during an outage; `COATCHECK_REDIS_NOPERM` without the right to a command
 */
export async function statistics(context: ServerContext, options: StatisticsOptions): Promise<Statistics> {
  const { exact = false, sample = EXAMINED_KEYS, examine = sample / 4, ...scan } = options
  const servers = await readServers(context.server, context.clock.now())
  const perServer = Math.ceil(sample / Math.max(1, servers.servers.length))
  const survey = await surveyKeys(context, {
    ...scan,
    ...(exact ? { examine: Infinity } : { maxPerServer: perServer, examine }),
  })
  const { users } = survey
  return { servers, survey, devicesPerUser: users === 0 ? null : survey.sessions.users / users }
}
