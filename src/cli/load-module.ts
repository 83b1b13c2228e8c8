/**
 * Loads a module of the application, also in TypeScript. This runs the module's code, so only commands that receive such a module load it.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { refuse } from '../config/refusal.ts'
import { ConfigError, isCoatcheckError } from '../core/errors.ts'
import { safeText } from '../core/redact.ts'

/**
 * @param option names the file in messages, such as `--module`
 * @param isDefault returns the default export, if there is one, in place of all exports
 * @throws {ConfigError} `COATCHECK_CONFIG_INVALID` if the file does not exist, or cannot be loaded
 */
export async function loadModule(
  folder: string,
  name: string,
  { option, isDefault = false }: { readonly option: string; readonly isDefault?: boolean },
): Promise<unknown> {
  const path = resolve(folder, name)
  if (!existsSync(path)) throw refuse({ option }, 'names a file that is not there')
  // Node 20 cannot run TypeScript.
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
