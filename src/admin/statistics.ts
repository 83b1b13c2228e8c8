/** How it stands: what the servers say of themselves, and what lies in them, estimated from a sample or counted. */
import { type KeySurvey, LOOKED_AT, surveyKeys, type SurveyOptions } from './key-survey.ts'
import type { ServerGround } from './ground.ts'
import { readServers, type ServerReadings } from './server-readings.ts'

/** Readings of the servers and counts of keys, at one time. */
export interface Statistics {
  /** Readings of the servers. */
  readonly servers: ServerReadings
  /** Counts of keys and sessions. */
  readonly survey: KeySurvey
  /** Sessions of users by users; `null` without any. */
  readonly devicesPerUser: number | null
}

/** Options of `readStatistics()`. */
export interface StatisticsOptions extends Pick<SurveyOptions, 'signal' | 'seen'> {
  /** Every name counted and every key looked at; default: 20,000 keys, scaled up. */
  readonly exact?: boolean
  /** Names counted when it is not exact. Default 20,000. */
  readonly sample?: number
  /** How many of the sample are looked at. Default: a quarter. */
  readonly look?: number
}

/** @throws {RedisError} */
export async function statistics(ground: ServerGround, options: StatisticsOptions): Promise<Statistics> {
  const { exact = false, sample = LOOKED_AT, look = sample / 4, ...walk } = options
  const servers = await readServers(ground.server, ground.clock.now())
  const perServer = Math.ceil(sample / Math.max(1, servers.servers.length))
  const survey = await surveyKeys(ground, {
    ...walk,
    ...(exact ? { look: Infinity } : { mostPerServer: perServer, look }),
  })
  const { users } = survey
  return { servers, survey, devicesPerUser: users === 0 ? null : survey.sessions.users / users }
}
