/** Edits package.json: adds `redis`, and removes ioredis if no file of the package names it any more. */
import { insertEntry, placeOfName, removeEntry, type Section, sectionsOf } from './manifest-sections.ts'

/** Versions with which the generated code was tested. */
const VERSIONS = { 5: '^5.12.1', 6: '^6.3.1' } as const
const OLD_PACKAGES = ['ioredis', '@types/ioredis']

/**
 * Edits only the four dependency sections, and keeps the format of the file.
 * @param usesIoredis true if a file of the package still imports or mocks ioredis
 * @returns the text unchanged if it is no JSON object
 */
export function migrateManifest(text: string, target: 5 | 6, usesIoredis: boolean): string {
  const sections = sectionsOf(text)
  if (sections === null) return text
  const found = sections.flatMap(({ name, entries }) =>
    entries.filter((one) => one.name === 'redis').map(({ value }) => ({ name, value })),
  )
  const isForTestsOnly =
    found.every(({ name }) => name === 'devDependencies') &&
    sections.some((section) => section.name === 'dependencies' && has(section, 'ioredis'))
  const withRedis =
    found.length === 0 || isForTestsOnly
      ? addRedis(removeFromAll(text, 'redis'), found[0]?.value ?? VERSIONS[target])
      : text
  if (usesIoredis || sections.some(loadsIoredis)) return withRedis
  return OLD_PACKAGES.reduce(removeFromAll, withRedis)
}

/** Returns the range if it allows only versions of `redis` before 5: the generated code needs 5 or 6. `null`: another range, or none. */
export function outdatedRedis(text: string): string | null {
  const ranges = (sectionsOf(text) ?? []).flatMap(({ entries }) => entries.filter(({ name }) => name === 'redis'))
  return ranges.find(({ value }) => /^[\^~]?[0-4](?:\.[\dx*]+)*$/.test(value))?.value ?? null
}

/** Adds `redis` beside ioredis. A package whose client comes from another package of the workspace has no ioredis: it gets a dependency. */
function addRedis(text: string, version: string): string {
  const beside = (sectionsOf(text) ?? []).filter((section) => has(section, 'ioredis'))
  const dependencies = beside.find(({ name }) => name === 'dependencies')
  // A library has ioredis as a peer, and for its tests as a development dependency: `redis` needs both.
  const names = dependencies ? ['dependencies'] : beside.map(({ name }) => name)
  return (names.length === 0 ? ['dependencies'] : names).reduce((edited, name) => {
    const section = sectionsOf(edited)?.find((one) => one.name === name) ?? null
    return insertEntry(edited, { section: section ?? name, name: 'redis', value: version, at: placeOf(section) })
  }, text)
}

/** In alphabetical order if the section has that order. Otherwise below ioredis. */
function placeOf(section: Section | null): number {
  if (section === null) return 0
  const ofIoredis = section.entries.findIndex(({ name }) => name === 'ioredis')
  return placeOfName(section, 'redis') ?? (ofIoredis === -1 ? section.entries.length : ofIoredis + 1)
}

function removeFromAll(text: string, name: string): string {
  const names = (sectionsOf(text) ?? []).filter((section) => has(section, name)).map((section) => section.name)
  return names.reduce((edited, of) => {
    const section = sectionsOf(edited)?.find((one) => one.name === of)
    return section ? removeEntry(edited, section, name) : edited
  }, text)
}

function has({ entries }: Section, name: string): boolean {
  return entries.some((entry) => entry.name === name)
}

/** Packages that load the ioredis of the application. */
const LOADING = new Set([
  '@nestjs-modules/ioredis',
  '@liaoliaots/nestjs-redis',
  '@songkeys/nestjs-redis',
  'ioredis-mock',
  'redlock',
])
/** The first major version of BullMQ that takes ioredis from the application. Earlier versions bring their own. */
const BULLMQ_WITH_PEER = 6

function loadsIoredis({ entries }: Section): boolean {
  return entries.some(
    ({ name, value }) => LOADING.has(name) || (name === 'bullmq' && majorOf(value) >= BULLMQ_WITH_PEER),
  )
}

/** The major version of a range. Infinity for a range without a number, such as `latest`. */
function majorOf(range: string): number {
  return Number(/\d+/.exec(range)?.[0] ?? Infinity)
}
