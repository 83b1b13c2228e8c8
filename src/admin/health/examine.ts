/**
 * Runs the examination behind `coatcheck doctor`: configuration, Redis, identity providers, data. Each part runs as far as the previous
 * parts allow. It only writes a short-lived key, and canaries on request. The report holds no secret.
 */
import type { Options } from '../../config/types.ts'
import {
  checkKeys,
  checkMemoryStore,
  checkMissingBaseUrl,
  checkOptionsAndEnvironment,
  noteRefusal,
} from './configuration.ts'
import { checkData, type FoundRecords } from './data.ts'
import type { ExaminationOptions, HealthContext } from './health-context.ts'
import { HealthRecord, type HealthReport } from './health-report.ts'
import { checkVariables } from './ignored-variables.ts'
import { checkMigration } from './migration.ts'
import { checkProvider } from './provider.ts'
import { checkRedis } from './redis.ts'
import type { RedisSetup } from '../../stores/redis/options.ts'

export async function examine(context: HealthContext, examination: ExaminationOptions = {}): Promise<HealthReport> {
  const record = new HealthRecord()
  const configuration = record.notes('configuration')
  const { env, clock, fetch } = context
  const { offline = false, signal = new AbortController().signal, seen = () => undefined } = examination
  let options: Options
  try {
    options = await context.load()
  } catch (error) {
    noteRefusal(configuration, 'Configuration file', error)
    return record.report()
  }
  const { config, missingBaseUrl } = checkOptionsAndEnvironment(configuration, options, env)
  let setup: RedisSetup | null = null
  try {
    setup = await context.inspect(options)
    if (setup === null && config !== null) checkMemoryStore(configuration, env)
  } catch (error) {
    noteRefusal(configuration, 'Redis URL', error)
  }
  checkVariables(configuration, setup, env)
  const keyring = config && (setup !== null || config.keys.length > 0) ? checkKeys(configuration, config) : null

  const redis = record.notes('redis')
  const opened = setup === null ? null : await checkRedis(redis, context, options, setup, examination)
  let found: FoundRecords | null = null
  try {
    if (config !== null && !signal.aborted) {
      for (const provider of config.providers) {
        seen(provider.name)
        await checkProvider(record.notes('provider'), provider, config, { clock, offline, fetch })
      }
    }
    if (opened !== null && !signal.aborted) {
      const { server, prefix } = opened
      const notes = record.notes('data')
      found = await checkData(notes, server, { prefix, keyring, clock, signal, seen })
      await checkMigration(notes, opened.store, clock)
    }
  } finally {
    await opened?.close()
  }
  if (missingBaseUrl !== null) checkMissingBaseUrl(configuration, missingBaseUrl, found)
  return record.report()
}
