import { defaultServerConditions } from 'vite'
import { defineConfig } from 'vitest/config'

// Tests run on the sources; processes that tests spawn import the built package.
// Packages are loaded by Node itself, which does not know the condition `module` and cannot load what some keep behind it.
const conditions = ['coatcheck-source', ...defaultServerConditions.filter((condition) => condition !== 'module')]

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    environment: 'node',
    // Outages are the subject of many tests; what is logged about them is that of test/telemetry.
    env: { COATCHECK_LOG: 'silent' },
    // Hours of fake time take a while on a busy machine, and a hang is a hang after two minutes too.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
})
