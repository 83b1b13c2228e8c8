/** Where the configuration file of an application may lie: the command line loads it from there, and `init` writes it there. */

const ENDINGS = ['ts', 'mts', 'js', 'mjs'] as const

/** Relative to the folder of the application, in the order in which they are looked for. */
export const configNames: readonly string[] = ['', 'src/'].flatMap((folder) =>
  ENDINGS.map((ending) => `${folder}coatcheck.config.${ending}`),
)
