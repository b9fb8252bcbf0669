// Joins the compiled node and the devnet launcher into a few files under .bundle/. Loading 700 small modules costs a node more CPU than
// all else it does until it is ready (1.8 s against 0.8 s, measured), and a devnet starts four of them. What it is made of stays what runs
// everywhere else: packages/*/dist and apps/node/dist.
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const bundle = join(root, '.bundle')
/** Its time is that before anything else was read; chunks of the node read the version from it. */
const stamp = 'package.json'
/** Native code and what finds its own files at run time. */
const external = [
  'secp256k1',
  'secp256k1/*',
  'classic-level',
  'tiny-secp256k1',
  'pino',
  'pino-pretty',
]

/**
 * The file that starts the launcher. When something it is made of is newer than it, `compile` is called first, which returns an exit code;
 * undefined when that is not 0.
 */
export async function bundled(compile) {
  if (!isFresh()) {
    const startedAt = new Date()
    if ((await compile()) !== 0) return undefined
    await make(startedAt)
  }
  return join(bundle, 'devnet/devnet.js')
}

function isFresh() {
  const parts = ['packages', 'apps'].flatMap(folder =>
    readdirSync(join(root, folder)).map(name => join(root, folder, name)),
  )
  const settings = ['package.json', 'tsconfig.json'].flatMap(name =>
    parts.map(part => join(part, name)),
  )
  const files = ['scripts/devnet.ts', 'scripts/bundle.mjs', 'tsconfig.base.json'].map(name =>
    join(root, name),
  )
  const made = changedAt(join(bundle, stamp))
  return (
    [...settings, ...files, join(root, 'node_modules/.package-lock.json')].every(
      file => changedAt(file) < made,
    ) &&
    [...parts.map(part => join(part, 'src')), join(root, 'scripts/devnet')].every(
      folder => newestIn(folder) < made,
    )
  )
}

function newestIn(folder) {
  return Math.max(
    changedAt(folder),
    ...readdirSync(folder, { recursive: true }).map(name => changedAt(join(folder, name))),
  )
}

/** 0 for what is not there. */
function changedAt(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

async function make(startedAt) {
  const { build } = await import('esbuild')
  const temporary = join(root, `node_modules/.cache/bundle-${process.pid}`)
  mkdirSync(temporary, { recursive: true })
  copyFileSync(join(root, 'apps/node/package.json'), join(temporary, stamp))
  utimesSync(join(temporary, stamp), startedAt, startedAt)
  const common = {
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external,
    entryNames: '[name]',
    // CommonJS inside asks for node's own modules.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url)",
    },
    logLevel: 'warning',
  }
  await Promise.all([
    build({
      ...common,
      entryPoints: [
        join(root, 'apps/node/dist/main.js'),
        join(root, 'packages/adapters/dist/crypto/worker.js'),
      ],
      outdir: join(temporary, 'node'),
    }),
    build({
      ...common,
      entryPoints: [join(root, 'scripts/devnet.ts')],
      outdir: join(temporary, 'devnet'),
    }),
  ])
  rmSync(bundle, { recursive: true, force: true })
  try {
    renameSync(temporary, bundle)
  } catch (error) {
    // Another start made it meanwhile, of the same sources.
    rmSync(temporary, { recursive: true, force: true })
    if (!isFresh()) throw error
  }
}
