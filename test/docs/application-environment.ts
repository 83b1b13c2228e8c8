/** The environment of an application that a page of the docs shows: its own settings, and nothing of this process. */
import { randomBytes } from 'node:crypto'

export function applicationEnvironment(redisUrl: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    COATCHECK_RUN: process.env.COATCHECK_RUN,
    COATCHECK_LOG: 'silent',
    COATCHECK_BASE_URL: 'http://localhost:3000',
    COATCHECK_KEYS: randomBytes(32).toString('base64'),
    REDIS_URL: redisUrl,
  }
}
