/**
 * A load generator in a process of its own, with next to no cost beside the socket: raw keep-alive HTTP, one request under way per
 * connection, one account per connection so that its nonces arrive in order, everything signed before the clock starts.
 */
import { connect } from 'node:net'
import { toHex } from '@rockpool/protocol'
import { signTransfers } from './transfers.ts'

export interface SignWish {
  readonly kind: 'sign'
  /** One account per connection. */
  readonly privateKeys: readonly string[]
  readonly chainId: number
  /** Transactions of each account. */
  readonly each: number
}

export interface LoadWish {
  readonly kind: 'load'
  readonly port: number
  /** Transactions of one request; 1 is a single call, not a batch of one. */
  readonly batch: number
  /** Not counted: compilers and caches of the server settle. */
  readonly warmMs: number
  readonly ms: number
}

export interface LoadResult {
  /** Transactions that were accepted, by their answers, and milliseconds they took. */
  readonly accepted: number
  readonly refused: number
  readonly ms: number
  /** The first refusal as it was read. */
  readonly refusal?: string
  /** The signed transactions ran out before the time was over. */
  readonly ranOut: boolean
}

interface Tally {
  accepted: number
  refused: number
  refusal?: string
}

let signed: string[][] = []

function sign({ privateKeys, chainId, each }: SignWish): number {
  signed = privateKeys.map(privateKey =>
    signTransfers({ privateKey, chainId, from: 0, count: each }).map(toHex),
  )
  return each
}

async function load({ port, batch, warmMs, ms }: LoadWish): Promise<LoadResult> {
  const tally: Tally = { accepted: 0, refused: 0 }
  let since = performance.now() + warmMs
  const until = since + ms
  let ranOut = false
  setTimeout(() => {
    tally.accepted = 0
    since = performance.now()
  }, warmMs)
  const lines = signed.map(async raws => {
    let next = 0
    const body = () => {
      if (performance.now() >= until) return undefined
      const part = raws.slice(next, next + batch)
      next += batch
      if (part.length === 0) ranOut = true
      return part.length === 0 ? undefined : bodyOf(part, next)
    }
    await drive(port, body, answer => count(answer, tally))
  })
  await Promise.all(lines)
  return { ...tally, ms: performance.now() - since, ranOut }
}

function bodyOf(raws: readonly string[], id: number): string {
  const calls = raws.map(
    (raw, index) =>
      `{"jsonrpc":"2.0","id":${id + index},"method":"eth_sendRawTransaction","params":["${raw}"]}`,
  )
  return calls.length === 1 ? (calls[0] ?? '') : `[${calls.join(',')}]`
}

/** An accepted transaction is answered with its hash. */
function count(answer: string, tally: Tally): void {
  for (let at = answer.indexOf('"result"'); at >= 0; at = answer.indexOf('"result"', at + 8))
    tally.accepted++
  const refusal = answer.indexOf('"error"')
  if (refusal < 0) return
  tally.refusal ??= answer.slice(refusal, refusal + 200)
  tally.refused += answer.split('"error"').length - 1
}

/** One connection: asks, hears, asks again, until `body` has no more. */
function drive(
  port: number,
  body: () => string | undefined,
  heard: (answer: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    const ask = () => {
      const next = body()
      if (next === undefined) {
        socket.destroy()
        return resolve()
      }
      socket.write(
        `POST / HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Type: application/json\r\nContent-Length: ${next.length}\r\n\r\n${next}`,
      )
    }
    socket.setEncoding('latin1')
    socket.on('error', reject)
    socket.on('connect', ask)
    socket.on('close', () => resolve())
    socket.on('data', chunk => {
      text += chunk
      if (!isWhole(text)) return
      heard(text)
      text = ''
      ask()
    })
  })
}

/** A whole answer, by its length or by its last chunk. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n')
  if (head < 0) return false
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1]
  if (length !== undefined) return text.length >= head + 4 + Number(length)
  return text.endsWith('\r\n0\r\n\r\n')
}

// As a child process: a wish in, its result out.
process.on('message', (wish: SignWish | LoadWish) => {
  if (wish.kind === 'sign') return void process.send?.(sign(wish))
  void load(wish).then(result => process.send?.(result))
})
