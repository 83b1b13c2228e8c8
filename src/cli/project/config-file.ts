/** The possible paths of the configuration file. The command line loads it from one of them, and `init` writes it to one. */

const ENDINGS = ['ts', 'mts', 'js', 'mjs'] as const

/** Relative to the folder of the application, in search order. */
export const configNames: readonly string[] = ['', 'src/'].flatMap((folder) =>
  ENDINGS.map((ending) => `${folder}coatcheck.config.${ending}`),
)
