/** `coatcheck.config.ts`: options that the application and the command line share. */
import type { Options } from './types.ts'

/**
 * Types the options, and returns them unchanged: `export default defineConfig({ providers: [entra()] })`. The
 * application passes them on, `coatcheck(config)`. The command line reads the same file, and no other file of the application.
 */
export function defineConfig<D extends object = Record<string, unknown>>(options: Options<D>): Options<D> {
  return options
}
