/** Loads a module of the application, TypeScript too. It runs as the module itself says, so only commands that were asked to load it do. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { refuse } from '../config/refusal.ts'
import { ConfigError, isCoatcheckError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'

/**
 * @param option names the file in messages, such as `--module`
 * @param isDefault gives the default export, where there is one, instead of all exports
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` when the file is not there, or cannot be loaded
 */
export async function loadModule(
  folder: string,
  name: string,
  { option, isDefault = false }: { readonly option: string; readonly isDefault?: boolean },
): Promise<unknown> {
  const path = resolve(folder, name)
  if (!existsSync(path)) throw refuse({ option }, 'names a file that is not there')
  // Node 20 reads no TypeScript.
  const { createJiti } = await import('jiti')
  try {
    // `fsCache` would leave files in the project's node_modules.
    return await createJiti(pathToFileURL(path).href, { fsCache: false }).import(
      path,
      isDefault ? { default: true } : {},
    )
  } catch (error) {
    if (isCoatcheckError(error)) throw error
    throw new ConfigError('COATCHECK_CONFIG_INVALID', {
      message: `${name} cannot be loaded: ${safeText(error instanceof Error ? error.message : String(error))}.`,
      cause: error,
    })
  }
}
