/**
 * Reads `.env.local` and `.env` for the command line and the examples, in the order of frameworks: the environment
 * wins, then `.env.local`, then `.env`. An application's framework reads its own files; the library itself never reads them.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as util from 'node:util'
import { refuse } from './refusal.ts'
import { ENV_FILES } from './unread-env-file.ts'

/**
 * Adds variables from the files to the environment of this process, unless they are set already.
 * @param file one file instead of the two; it must then exist
 * @returns the files that were read, in the order of their precedence
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` for a named file that does not exist
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

/** Sets a variable from a command-line flag: for this process and all processes that it starts. */
export function setVariable(name: string, value: string): void {
  process.env[name] = value
}
