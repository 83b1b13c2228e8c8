import { describe, expect, it } from 'vitest'
import type { MigrationOutcome } from '../core/event-map.ts'
import { decideWithoutOld } from './dual-read-rules.ts'
import type { OldPlace } from './old-place.ts'

interface Ours {
  readonly isCopy: boolean
}

/** Our record at each read, and whether the old record exists when the rule asks. */
async function decide(reads: readonly (Ours | null)[], hasOld: boolean, here: OldPlace = { key: 'one', place: '' }) {
  const left = [...reads]
  const done: string[] = []
  const outcomes: MigrationOutcome[] = []
  const found = await decideWithoutOld<Ours>({
    readOurs: () => Promise.resolve(left.length > 1 ? (left.shift() ?? null) : (left[0] ?? null)),
    copyOf: ({ isCopy }) => (isCopy ? { key: 'one', place: '' } : null),
    here,
    hasOld: () => Promise.resolve(hasOld),
    endOurs: () => Promise.resolve(done.push('end')),
    report: (outcome) => void outcomes.push(outcome),
  })
  return { found, done, outcomes }
}

const copy: Ours = { isCopy: true }
const independent: Ours = { isCopy: false }

describe('a record of ours without its old record', () => {
  it('returns an independent record, and null without a record', async () => {
    expect(await decide([independent], false)).toEqual({ found: independent, done: [], outcomes: [] })
    expect(await decide([null], false)).toEqual({ found: null, done: [], outcomes: [] })
  })

  it('ends a copy whose old record is still missing', async () => {
    expect(await decide([copy], false)).toEqual({ found: 'ended', done: ['end'], outcomes: ['ended'] })
  })

  it('keeps a copy whose old record was created after the first read', async () => {
    expect(await decide([copy], true)).toEqual({ found: 'again', done: [], outcomes: [] })
  })

  it('keeps a record that a process in mode move takes over between the two reads', async () => {
    expect(await decide([copy, independent], false)).toEqual({ found: independent, done: [], outcomes: [] })
  })

  it.each([
    ['key', { key: 'two', place: '' }],
    ['Redis', { key: 'one', place: 'other' }],
  ])('refuses to end a copy whose old record is under another %s', async (_, here) => {
    await expect(decide([copy], false, here)).rejects.toMatchObject({ code: 'COATCHECK_CONFIG_INVALID' })
    expect(await decide([independent], false, here)).toEqual({ found: independent, done: [], outcomes: [] })
  })

  it('reports no end for a copy that another process ends first', async () => {
    expect(await decide([copy, null], false)).toEqual({ found: null, done: [], outcomes: [] })
  })
})
