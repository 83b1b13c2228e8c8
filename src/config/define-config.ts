/** `coatcheck.config.ts`: options that the application and the command line share. */
import type { Options } from './types.ts'

/**
 * Gives options their type, and returns them as they are: `export default defineConfig({ providers: [entra()] })`. The
 * application hands them on, `coatcheck(config)`; the command line reads the same file, and nothing else of the application.
 */
export function defineConfig<D extends object = Record<string, unknown>>(options: Options<D>): Options<D> {
  return options
}
