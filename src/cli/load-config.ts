/**
 * Loads the configuration of the command line: flags, then the environment, then `.env.local` and `.env`, then
 * `coatcheck.config.{ts,mts,js,mjs}` in the folder or in its `src`. That file only contains options. The application itself is never
 * loaded.
 */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { loadEnvFiles, setVariable } from '../config/env-files.ts'
import { refuse } from '../config/refusal.ts'
import { checkOptions } from '../config/resolve.ts'
import type { Options } from '../config/types.ts'
import { ConfigError } from '../core/errors.ts'
import { loadModule } from './load-module.ts'
import { configNames } from './project/config-file.ts'

/** The flags that every command accepts. */
export interface ConfigFlags {
  readonly config?: string
  readonly env?: string
  readonly url?: string
  readonly prefix?: string
}

export interface LoadedConfig {
  readonly options: Options
  /** The file of the options, relative to the folder; `null`: there is none. */
  readonly file: string | null
  readonly envFiles: readonly string[]
}

/** @throws {ConfigError} `COATCHECK_CONFIG_INVALID`, `COATCHECK_CONFIG_UNKNOWN_OPTION`: for a flag, or for the content of the file */
export async function loadConfig(folder: string, flags: ConfigFlags): Promise<LoadedConfig> {
  const envFiles = loadEnvFiles(folder, flags.env)
  if (flags.url !== undefined) setVariable('REDIS_URL', withoutSecret(flags.url))
  if (flags.prefix !== undefined) setVariable('REDIS_PREFIX', flags.prefix)
  const file = fileOf(folder, flags.config)
  if (file === null) return { options: {}, file, envFiles }
  const options = await optionsOf(folder, file)
  return { options: withoutOverruled(options, flags), file, envFiles }
}

/** Removes options that a flag overrides: the flag is in the environment, over which an option would win. */
function withoutOverruled(options: LoadedConfig['options'], flags: ConfigFlags): LoadedConfig['options'] {
  const { store, prefix, ...others } = options
  return {
    ...others,
    ...(store !== undefined && flags.url === undefined && { store }),
    ...(prefix !== undefined && flags.prefix === undefined && { prefix }),
  }
}

function fileOf(folder: string, named: string | undefined): string | null {
  if (named === undefined) return configNames.find((name) => existsSync(join(folder, name))) ?? null
  if (!existsSync(resolve(folder, named))) throw refuse({ option: '--config' }, 'names a file that is not there')
  return named
}

async function optionsOf(folder: string, name: string): Promise<Options> {
  const loaded = await loadModule(folder, name, { option: '--config', isDefault: true })
  if (typeof loaded !== 'object' || loaded === null || 'sessions' in loaded) {
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `${name} has to export options by default: export default defineConfig({ … }).`,
    })
  }
  const options = loaded as Options
  checkOptions(options)
  return options
}

/** The shell history and the process list show flags. */
function withoutSecret(url: string): string {
  if (/:\/\/[^/]*:[^/]*@/.test(url)) {
    throw refuse({ option: '--url' }, 'holds a password', {
      why: 'The shell history and the process list show flags.',
      fix: 'Set REDIS_PASSWORD, or REDIS_URL, in the environment instead.',
    })
  }
  return url
}
