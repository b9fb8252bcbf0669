/** One process with libp2p and its router as npm has them, under the node's options and without the node. */
import { pause } from './measure.ts'

export type RouterWish =
  | { readonly do: 'open'; readonly seed: number; readonly dial: readonly string[] }
  /** Publishes messages of this size, so many a second. */
  | {
      readonly do: 'send'
      readonly count: number
      readonly perSecond: number
      readonly bytes: number
    }
  | { readonly do: 'tell' }

export interface RouterResult {
  readonly address: string
  readonly mesh: number
  /** From publication to arrival here. Milliseconds. */
  readonly waysMs: readonly number[]
}

interface Router {
  readonly addresses: () => readonly string[]
  mesh(): number
  dial(address: string): Promise<unknown>
  publish(bytes: Uint8Array): Promise<unknown>
}

const waysMs: number[] = []
/** The same instant in every process of this machine. */
const now = (): number => performance.timeOrigin + performance.now()
let router: Router | undefined

async function open(seed: number): Promise<Router> {
  const file = new URL('../../packages/adapters/src/libp2p/bare-for-bench.ts', import.meta.url)
  const module = (await import(file.href)) as {
    readonly openBareRouter: (seed: number, heard: (bytes: Uint8Array) => void) => Promise<Router>
  }
  return module.openBareRouter(seed, bytes => {
    waysMs.push(now() - Buffer.from(bytes.buffer, bytes.byteOffset, 8).readDoubleBE(0))
  })
}

async function run(wish: RouterWish): Promise<RouterResult> {
  if (wish.do === 'open') {
    router = await open(wish.seed)
    for (const address of wish.dial) await router.dial(address)
  }
  if (wish.do === 'send') {
    const since = performance.now()
    for (let sent = 0; sent < wish.count; ) {
      const due = Math.min(wish.count, ((performance.now() - since) / 1_000) * wish.perSecond)
      for (; sent < due; sent++) {
        const bytes = Buffer.alloc(wish.bytes, sent)
        bytes.writeUInt32BE(sent, 8)
        bytes.writeDoubleBE(now(), 0)
        void router?.publish(bytes)
      }
      await pause(5)
    }
  }
  return { address: router?.addresses()[0] ?? '', mesh: router?.mesh() ?? 0, waysMs }
}

process.on('message', (wish: RouterWish) => {
  void run(wish).then(result => process.send?.(result))
})
