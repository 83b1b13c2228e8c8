import { defaultServerConditions } from 'vite'
import { configDefaults, defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

// Tests run on the sources; processes that tests spawn import the built package.
// Packages are loaded by Node itself, which does not know the condition `module` and cannot load what some keep behind it.
const conditions = ['coatcheck-source', ...defaultServerConditions.filter((condition) => condition !== 'module')]

/**
 * A busy machine delays a reply by more than the default deadlines, which are not the subject of most tests. Tests of a deadline give it as
 * an option. The lab keeps the defaults.
 */
const patient = { REDIS_COMMAND_TIMEOUT_MS: '3000', REDIS_WRITE_TIMEOUT_MS: '5000', REDIS_CONNECT_TIMEOUT_MS: '15000' }

/**
 * Files with servers and processes take up to minutes, units take seconds. Starting with the long ones keeps both workers busy to the end.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number =>
      /\/test\/(?:integration|lab|conformance|e2e)\//.test(moduleId) ? 0 : /\/src\//.test(moduleId) ? 2 : 1
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Applications that the codemod rewrites. Their tests are input.
    exclude: [...configDefaults.exclude, 'test/codemod/{app,public}/**'],
    environment: 'node',
    // Outages are the subject of many tests; what is logged about them is that of test/telemetry.
    env: { COATCHECK_LOG: 'silent', ...(process.env['COATCHECK_LAB_REPORT'] ? {} : patient) },
    // Only for a hang: a busy machine may delay any step. Limits on elapsed time stand in test/lab/limits.ts.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 120_000 } },
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
  },
})
