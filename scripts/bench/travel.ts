/**
 * Sends signed transactions to one node at a steady rate and listens at another, in a process of its own: both ends of the way are seen by
 * one clock.
 */
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { toHex } from '@rockpool/protocol'
import { WebSocket } from 'ws'
import { pause } from './measure.ts'
import { signTransfers } from './transfers.ts'

export interface TravelWish {
  /** HTTP of the node that gets the transactions, WebSocket of the one that is listened to. */
  readonly rpc: string
  readonly ws: string
  readonly privateKeys: readonly string[]
  readonly chainId: number
  readonly perSecond: number
  readonly seconds: number
}

export interface TravelResult {
  readonly sent: number
  readonly refused: number
  readonly refusal?: string
  /** Hashes of accepted transactions of which the listener heard nothing within the time of grace. */
  readonly missing: readonly string[]
  /** From the answer to the sender until the notification; negative when that was first. */
  readonly waysMs: readonly number[]
}

const beatMs = 10
const graceMs = 10_000

async function travel(wish: TravelWish): Promise<TravelResult> {
  const raws = interleaved(wish)
  const answeredAt = new Map<string, number>()
  const heardAt = new Map<string, number>()
  const stopListening = await listen(wish.ws, hash => heardAt.set(hash, performance.now()))
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  let refused = 0
  let refusal: string | undefined
  const sends: Promise<void>[] = []
  const since = performance.now()
  while (sends.length < raws.length) {
    const due = Math.floor(((performance.now() - since) / 1_000) * wish.perSecond)
    while (sends.length < Math.min(due, raws.length)) {
      const sending = send(wish.rpc, raws[sends.length] ?? '', agent).then(answer => {
        if (answer.result !== undefined) answeredAt.set(answer.result, performance.now())
        else {
          refused++
          refusal ??= answer.error?.message ?? 'no answer'
        }
      })
      sends.push(sending)
    }
    await pause(beatMs)
  }
  await Promise.all(sends)
  const deadline = performance.now() + graceMs
  const missing = () => [...answeredAt.keys()].filter(hash => !heardAt.has(hash))
  while (missing().length > 0 && performance.now() < deadline) await pause(50)
  stopListening()
  agent.destroy()
  const waysMs = [...answeredAt].flatMap(([hash, at]) => {
    const heard = heardAt.get(hash)
    return heard === undefined ? [] : [heard - at]
  })
  return {
    ...{ sent: raws.length, refused, missing: missing(), waysMs },
    ...(refusal !== undefined && { refusal }),
  }
}

/** All accounts in turn, so that each has its nonces in order. */
function interleaved({ privateKeys, chainId, perSecond, seconds }: TravelWish): string[] {
  const each = Math.ceil((perSecond * seconds) / privateKeys.length)
  const lines = privateKeys.map(privateKey =>
    signTransfers({ privateKey, chainId, from: 0, count: each }).map(toHex),
  )
  return Array.from({ length: each }, (_, nonce) => lines.map(line => line[nonce] ?? ''))
    .flat()
    .slice(0, perSecond * seconds)
}

async function listen(url: string, heard: (hash: string) => void): Promise<() => void> {
  const socket = new WebSocket(url)
  await once(socket, 'open')
  socket.send(
    '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newPendingTransactions"]}',
  )
  await once(socket, 'message')
  socket.on('message', data => {
    const { params } = JSON.parse(String(data)) as { params?: { result?: string } }
    if (params?.result !== undefined) heard(params.result)
  })
  return () => socket.close()
}

interface Answer {
  readonly result?: string
  readonly error?: { readonly message: string }
}

function send(url: string, raw: string, agent: Agent): Promise<Answer> {
  const body = `{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${raw}"]}`
  return new Promise((resolve, reject) => {
    const asked = request(
      url,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', chunk => {
          text += chunk
        })
        response.on('end', () => resolve(JSON.parse(text) as Answer))
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
}

// As a child process: a wish in, its result out.
process.on('message', (wish: TravelWish) => {
  void travel(wish).then(result => process.send?.(result))
})
