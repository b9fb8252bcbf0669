import { defineConfig } from 'vitest/config'

const conditions = ['@rockpool/source']
const long = process.env.ROCKPOOL_E2E_LONG === '1'
/** The pool's long tests are full sizes of what the unit tests run small: not for every change. */
const brief = process.env.ROCKPOOL_E2E_CI === '1' ? ['packages/pool/**'] : []
const ours = long ? '**/*.long.test.ts' : '**/*.e2e.test.ts'
const excluded = ['**/node_modules/**', '**/dist/**', ...brief]

/** One at a time: they hold real time to account, or start a devnet, which wants a port of its own. */
const alone = [
  ...['bans', 'launcher', 'transfers'].map(name => `apps/node/src/e2e/${name}.e2e.test.ts`),
  'packages/adapters/src/libp2p/*.e2e.test.ts',
  'packages/adapters/src/http/websocket.e2e.test.ts',
]

const oneByOne = (include: readonly string[]) => ({
  extends: true as const,
  test: {
    name: 'alone',
    include: [...include],
    exclude: excluded,
    fileParallelism: false,
    sequence: { groupOrder: 0 },
  },
})

const twoAtOnce = {
  extends: true as const,
  test: {
    name: 'together',
    include: [ours],
    exclude: [...excluded, ...alone],
    maxWorkers: 2,
    sequence: { groupOrder: 1 },
  },
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    projects: long ? [oneByOne([ours])] : [oneByOne(alone), twoAtOnce],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
    globalSetup: ['scripts/e2e.setup.mjs'],
    setupFiles: ['packages/adapters/src/libp2p/polyfill.ts'],
  },
})
