import { parentPort, workerData } from 'node:worker_threads'
import { recoverPacked } from './packed.ts'
import { type Backend, openSecp } from './secp.ts'

/** A batch on its way into a worker, and the answers on their way out; both buffers are transferred, not copied. */
export type ToWorker =
  | { readonly type: 'jobs'; readonly id: number; readonly jobs: ArrayBuffer }
  /** Nothing comes after it: the thread ends when it has nothing in hand. */
  | { readonly type: 'end' }
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'answers'; readonly id: number; readonly answers: ArrayBuffer }

const port = parentPort
if (!port) throw new Error('this file runs in a worker thread only')
const { backend } = workerData as { backend: Backend }
const { secp } = await openSecp(backend)

port.on('message', (message: ToWorker) => {
  if (message.type === 'end') return port.close()
  const { id, jobs } = message
  const answers = recoverPacked(secp, new Uint8Array(jobs)).buffer
  port.postMessage({ type: 'answers', id, answers } satisfies FromWorker, [answers])
})
port.postMessage({ type: 'ready' } satisfies FromWorker)
