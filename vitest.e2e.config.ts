import { defineConfig } from 'vitest/config'

const conditions = ['@rockpool/source']
const long = process.env.ROCKPOOL_E2E_LONG === '1'
/** The pool's long tests are full sizes of what the unit tests run small: not for every change. */
const brief = process.env.ROCKPOOL_E2E_CI === '1' ? ['packages/pool/**'] : []

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: [long ? '**/*.long.test.ts' : '**/*.e2e.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...brief],
    pool: 'forks',
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    setupFiles: ['packages/adapters/src/libp2p/polyfill.ts'],
  },
})
