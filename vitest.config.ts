import { defineConfig } from 'vitest/config'

const conditions = ['@rockpool/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
    exclude: ['**/*.e2e.test.ts', '**/*.long.test.ts', '**/node_modules/**', '**/dist/**'],
    pool: 'threads',
    isolate: false,
    // Vitest would leave one of two cores to itself.
    maxWorkers: 2,
    // A bound for what hangs, not a measure: the machine may be shared.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ['packages/adapters/src/libp2p/polyfill.ts', 'scripts/vitest.setup.ts'],
  },
})
