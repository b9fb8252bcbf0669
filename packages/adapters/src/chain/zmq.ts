import { connect, type Socket } from 'node:net'
import { limits } from '@rockpool/protocol'
import { createFrames, frame, greeting, ready } from './zmtp.ts'

export interface HintOptions {
  /** `tcp://host:port`, where the node publishes hashes of new blocks. */
  readonly address: string
  /** The chain may have moved. Nothing else is taken from what was said. */
  readonly hint: () => void
}

const topic = 'hashblock'

/** Listens to a bitcoin node's notices of new blocks, for ever, until what it returns is called. Whatever goes wrong costs latency and nothing else. */
export function listenForBlocks({ address, hint }: HintOptions): () => void {
  const { hostname, port } = new URL(address)
  let socket: Socket | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let isClosed = false

  function open(): void {
    const frames = createFrames(([first]) => {
      if (first?.toString() !== topic) return
      failures = 0
      hint()
    })
    socket = connect(Number(port), hostname, () => {
      socket?.write(greeting)
      socket?.write(ready('SUB'))
      socket?.write(frame(Buffer.from(`\u0001${topic}`)))
    })
    socket.unref()
    socket.on('data', chunk => {
      if (!frames.push(chunk)) socket?.destroy()
    })
    socket.on('error', () => {})
    socket.on('close', again)
  }

  function again(): void {
    if (isClosed) return
    const { towerHintRetryMinMs, towerHintRetryMaxMs } = limits
    timer = setTimeout(open, Math.min(towerHintRetryMaxMs, towerHintRetryMinMs * 2 ** failures))
    timer.unref()
    failures = Math.min(failures + 1, 16)
  }

  open()
  return () => {
    isClosed = true
    clearTimeout(timer)
    socket?.destroy()
  }
}
