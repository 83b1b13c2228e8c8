/** What a prepared fault is: one step away from a healthy set-up, with everything that the doctor has to say about it, and nothing else. */
import { expect, test, vi } from 'vitest'
import { examineHealth, type ExaminationOptions, type HealthReport } from '../../src/entries/admin.ts'
import type { Options } from '../../src/config/types.ts'
import type { Clock } from '../../src/core/clock.ts'
import { exitCode, exitCodeOfCause } from '../../src/cli/exit-code.ts'
import { searchFor } from './canaries.ts'
import type { HealthWorld } from './health-world.ts'

export interface Prepared {
  readonly options: Options | (() => Options)
  readonly examination?: ExaminationOptions
  readonly env?: Readonly<Record<string, string>>
  readonly clock?: Clock
  readonly secrets?: readonly string[]
  readonly undo?: () => Promise<unknown>
}

export interface PreparedFault {
  readonly fault: string
  prepare(world: HealthWorld): Prepared | Promise<Prepared>
  /** Every code of the report, in its order: the cause, and what does not follow from it but is true too. */
  readonly finds: readonly string[]
  readonly exit: 0 | 1 | 3 | 4 | 5 | 6
  /** Stands in what was seen, and in the fix. */
  readonly says: RegExp
  readonly fix: RegExp
}

/** One test for each. */
export function testFaults(world: () => HealthWorld, faults: readonly PreparedFault[]): void {
  test.each(faults.map((fault) => [fault.fault, fault] as const))('%s', async (_name, fault) => {
    const { options, examination, env = {}, clock, secrets = [], undo } = await fault.prepare(world())
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
    let report: HealthReport
    try {
      const load = (): Options => (typeof options === 'function' ? options() : options)
      report = await examineHealth(load, { offline: true, ...examination }, clock ? { clock } : {})
    } finally {
      vi.unstubAllEnvs()
      await undo?.()
    }
    const found = report.checks.filter(({ finding }) => finding !== null)
    expect(found.map(({ finding }) => finding?.code)).toEqual(fault.finds)
    expect(report.cause === null ? exitCode.ok : exitCodeOfCause(report.cause)).toBe(fault.exit)
    const [first] = found
    expect(first?.says).toMatch(fault.says)
    expect(first?.finding?.fix).toMatch(fault.fix)
    const search = searchFor([...world().secrets, ...secrets.map((value) => ({ kind: 'of this fault', value }))])
    expect(search.find('report', JSON.stringify(report))).toEqual([])
  })
}
