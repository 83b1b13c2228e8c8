import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const root = process.env.SCENARIO_ROOT
const { version } = createRequire(import.meta.url)('next/package.json')

/** @type {import('next').NextConfig} */
export default {
  outputFileTracingRoot: resolve(root),
  turbopack: { root: resolve(root) },
  compress: false,
  // Next 15 lints while it builds, by rules of its own.
  ...(version.startsWith('15.') && { eslint: { ignoreDuringBuilds: true } }),
}
