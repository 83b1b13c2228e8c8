/**
 * `.env.local` and `.env` for the command line and the examples, as frameworks read them: what the environment says already
 * wins, then `.env.local`, then `.env`. An application's framework reads its own; the library itself never does.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as util from 'node:util'
import { refuse } from './refusal.ts'
import { ENV_FILES } from './unread-env-file.ts'

/**
 * Adds to the environment of this process what the files say and it does not.
 * @param file one file instead of the two, which then has to be there
 * @returns the files that were read, in the order in which they count
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a file that was named and is not there
 */
export function loadEnvFiles(folder: string, file?: string): readonly string[] {
  if (file !== undefined && !existsSync(join(folder, file)))
    throw refuse({ option: '--env' }, 'names a file that is not there')
  const found = (file === undefined ? ENV_FILES : [file]).filter((name) => existsSync(join(folder, name)))
  for (const name of found) {
    for (const [variable, value] of Object.entries(util.parseEnv(readFileSync(join(folder, name), 'utf8')))) {
      process.env[variable] ??= value
    }
  }
  return found
}

/** For what a flag says: it counts for this process and all that it starts. */
export function setVariable(name: string, value: string): void {
  process.env[name] = value
}
