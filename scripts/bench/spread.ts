/** Submits batches of signed transactions to one node and listens at all: both ends of each way are seen by one clock. */
import { once } from 'node:events'
import { toHex } from '@rockpool/protocol'
import { WebSocket } from 'ws'
import { pause } from './measure.ts'
import { signTransfers } from './transfers.ts'

export interface SpreadWish {
  readonly rpc: string
  /** One WebSocket of each node, the first of the node that is submitted to. */
  readonly ws: readonly string[]
  readonly privateKeys: readonly string[]
  readonly chainId: number
  readonly batches: number
  readonly perBatch: number
  readonly batchesPerSecond: number
}

export interface SpreadResult {
  readonly sent: number
  readonly refused: number
  /** From submission to each pool. Milliseconds. */
  readonly waysMs: readonly number[]
}

const graceMs = 10_000

async function spread(wish: SpreadWish): Promise<SpreadResult> {
  const { batches, perBatch, privateKeys, chainId, batchesPerSecond, rpc, ws } = wish
  const each = Math.ceil((batches * perBatch) / privateKeys.length)
  const lines = privateKeys.map(privateKey =>
    signTransfers({ privateKey, chainId, from: 0, count: each }).map(toHex),
  )
  const raws = Array.from({ length: each }, (_, nonce) =>
    lines.map(line => line[nonce] ?? ''),
  ).flat()
  const heard = ws.map(() => new Map<string, number>())
  const stops = await Promise.all(
    ws.map((url, index) => listen(url, hash => heard[index]?.set(hash, performance.now()))),
  )
  const sentAt = new Map<string, number>()
  let refused = 0
  const sends: Promise<void>[] = []
  const since = performance.now()
  while (sends.length < batches) {
    const due = Math.min(batches, ((performance.now() - since) / 1_000) * batchesPerSecond)
    while (sends.length < due) {
      const from = sends.length * perBatch
      const at = performance.now()
      sends.push(
        submit(rpc, raws.slice(from, from + perBatch)).then(hashes => {
          for (const hash of hashes) if (hash !== undefined) sentAt.set(hash, at)
          refused += perBatch - hashes.filter(hash => hash !== undefined).length
        }),
      )
    }
    await pause(5)
  }
  await Promise.all(sends)
  const deadline = performance.now() + graceMs
  const isThere = () => heard.every(times => [...sentAt.keys()].every(hash => times.has(hash)))
  while (!isThere() && performance.now() < deadline) await pause(100)
  for (const stop of stops) stop()
  const waysMs = heard.flatMap(times =>
    [...sentAt].flatMap(([hash, at]) => {
      const there = times.get(hash)
      return there === undefined ? [] : [there - at]
    }),
  )
  return { sent: sentAt.size, refused, waysMs }
}

async function listen(url: string, hear: (hash: string) => void): Promise<() => void> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  socket.send(
    '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newPendingTransactions"]}',
  )
  await once(socket, 'message')
  socket.on('message', data => {
    const { params } = JSON.parse(String(data)) as { params?: { result?: string } }
    if (params?.result !== undefined) hear(params.result)
  })
  return () => socket.close()
}

async function submit(rpc: string, raws: readonly string[]): Promise<(string | undefined)[]> {
  const calls = raws.map((raw, id) => ({
    ...{ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] },
  }))
  const response = await fetch(rpc, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(calls),
  })
  const answers = (await response.json()) as { result?: string }[]
  return answers.map(({ result }) => result)
}

// As a child process: a wish in, its result out.
process.on('message', (wish: SpreadWish) => {
  void spread(wish).then(result => process.send?.(result))
})
