import type { NextConfig } from 'next'

const headers = [
  { key: 'content-security-policy', value: "base-uri 'none'; object-src 'none'; frame-ancestors 'none'" },
  { key: 'referrer-policy', value: 'same-origin' },
  { key: 'x-content-type-options', value: 'nosniff' },
]

export default {
  poweredByHeader: false,
  headers: async () => [{ source: '/:path*', headers }],
} satisfies NextConfig
