import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import type { Backend } from './secp.ts'

/** Starts one recovery thread: from compiled code when it stands beside this file, else from source through tsx. */
export function startThread(backend: Backend): Worker {
  const workerData = { backend }
  const compiled = new URL('./worker.js', import.meta.url)
  // The flags of this process are not the thread's: `--input-type` for one would refuse a file.
  if (existsSync(compiled)) return new Worker(compiled, { workerData, execArgv: [] })
  return new Worker(fromSource(new URL('./worker.ts', import.meta.url)), {
    eval: true,
    workerData,
    execArgv: ['--conditions=@rockpool/source'],
  })
}

/** On Node 20 `--import tsx` does nothing in a thread, so the thread registers it itself; by path, for cwd may be anywhere. */
function fromSource(entry: URL): string {
  const manifest = createRequire(import.meta.url).resolve('tsx/package.json')
  const tsx = new URL('./dist/esm/api/index.mjs', pathToFileURL(manifest)).href
  const source = JSON.stringify(entry.href)
  return `import(${JSON.stringify(tsx)}).then(tsx => (tsx.register(), import(${source})))`
}
