/**
 * docs/migrate-from-ioredis.md promises no silent change: the fixture application before and after the codemod, on a real Redis. Each step
 * that carries no mark must see the same values and leave the same keyspace.
 */
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MigrationReport } from '../../src/migrate/ioredis/report.ts'
import { type Application, copyApplication } from './application.ts'
import { ioredisCallSites } from './call-sites.ts'
import { migrate, runCodemod } from './codemod.ts'
import { differences } from './compare.ts'
import { recordedBefore, TARGETS } from './comparison.ts'
import { EXPECTED_MARKS, EXPECTED_REFUSALS } from './expected-marks.ts'
import { complaintsWithoutMark, markedSteps } from './marks.ts'
import { record } from './recorder.ts'

const APP = resolve(import.meta.dirname, 'app')

describe('the fixture application, rewritten', () => {
  const compared = recordedBefore(APP)

  describe.each(TARGETS)('for redis $target', ({ target, redis }) => {
    let application: Application
    let report: MigrationReport
    let sites: number

    beforeAll(async () => {
      application = copyApplication(APP, { ioredis: 'ioredis' })
      sites = ioredisCallSites(application.path).length
      report = await migrate(application, target)
      // Marked code still names ioredis until a person has changed it.
      application.install({ redis, ioredis: 'ioredis' })
      await application.compile()
    })
    afterAll(() => application.remove())

    it('compiles strictly, but for what is marked', async () => {
      expect(complaintsWithoutMark(application, await application.check())).toEqual([])
    })

    it('has decided about every call site that the compiler knows', () => {
      expect(report.sites.length).toBeGreaterThanOrEqual(sites)
    })

    it('is the same in each step without a mark', async () => {
      const marked = markedSteps(application)
      const { servers, keyspace, before } = compared
      const after = await record(application, { env: servers.env, keyspace, skip: new Set(marked.keys()) })
      const steps = new Map([...before.steps].filter(([step]) => !marked.has(step) && !(step in EXPECTED_REFUSALS)))
      expect(differences({ ...before, steps }, after)).toEqual([])
      expect(steps.size).toBeGreaterThan(380)
      for (const [step, text] of Object.entries(EXPECTED_REFUSALS)) {
        expect(after.steps.get(step)?.seen, step).toMatch(text)
        expect(after.steps.get(step)?.keys, step).toEqual([])
      }
    })

    it('marks only what is expected', () => {
      const steps = new Set(compared.before.steps.keys())
      const marked = [...markedSteps(application)].filter(([step]) => steps.has(step))
      expect(Object.fromEntries(marked.map(([step, codes]) => [step, codes.join(' ')]))).toEqual(EXPECTED_MARKS)
    })

    it('changes nothing in a second run', async () => {
      const read = (): string[] => application.files().map((file) => readFileSync(join(application.path, file), 'utf8'))
      const once = read()
      await migrate(application, target)
      expect(read()).toEqual(once)
    })

    it('is refused by --check as long as marks stand', async () => {
      const { code } = await runCodemod(application, '--check', '--target', String(target))
      expect(code).toBe(report.marksLeft > 0 ? 1 : 0)
    })
  })
})
