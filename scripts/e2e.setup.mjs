// Before end-to-end tests: everything is compiled, and the node and the launcher are bundled as `npm start` does it, which saves each of the
// hundred processes they start most of its loading.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundled } from './bundle.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const windows = process.platform === 'win32'
const tsc = join(root, 'node_modules/.bin', windows ? 'tsc.cmd' : 'tsc')

function compile() {
  const { status } = spawnSync(tsc, ['-b'], { cwd: root, stdio: 'inherit', shell: windows })
  return status ?? 1
}

export default async function setup() {
  // Each group of tests calls it.
  if (process.env.ROCKPOOL_TEST_BUNDLE !== undefined) return
  // Also where the bundle is fresh: some tests run compiled code that is not in it.
  if (compile() !== 0) throw new Error('it does not compile')
  const launcher = await bundled(() => 0)
  process.env.ROCKPOOL_TEST_BUNDLE = dirname(dirname(launcher))
}
