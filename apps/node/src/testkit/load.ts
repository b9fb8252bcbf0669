import { Agent, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { keccak256 } from 'viem'
import { call, type Network } from './devnet.ts'
import { draws, signTransfer, type Transfer } from './transfers.ts'

/** What clients asked of the network while it was in trouble. */
export interface Sent {
  readonly hash: string
  readonly transfer: Transfer
  /** Pays less than any base fee: it stays in the pools. */
  readonly stays: boolean
  /** Nodes that answered for it, by place, and when. */
  readonly taken: readonly { readonly node: number; readonly atMs: number }[]
}

export interface LoadPlan {
  readonly seed: number
  readonly perSecond: number
  /** Of these, so many a second that stay in the pools. */
  readonly staysPerSecond: number
  /** Groups of nodes, by place: one node of each group is asked, another of the same group when it does not answer. */
  readonly groupsOf: (from: number) => readonly (readonly number[])[]
}

/** Accounts whose transfers are mined; those behind them send what stays. */
const payers = 15
const stayers = 5
const tickMs = 25
const answerMs = 10_000
const tries = 20
/** Connections to one node: a node takes only so many of one client. */
const connectionsMax = 16
/** Transfers without an answer; beyond that the load waits and falls behind its rate. */
const flyingMax = 400

export type Load = ReturnType<typeof startLoad>

/** Sends signed transfers at a steady rate, without gaps in the nonces of an account, and notes who answered for which. */
export function startLoad(network: Network, plan: LoadPlan) {
  const draw = draws(plan.seed)
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax })
  const nonces = new Map<number, number>()
  const sent: Sent[] = []
  const refused: string[] = []
  const flying = new Set<Promise<void>>()
  let isOn = false
  let running: Promise<void> = Promise.resolve()

  function next(stays: boolean): Transfer {
    const from = stays ? payers + draw(stayers) : draw(payers)
    const nonce = nonces.get(from) ?? 0
    nonces.set(from, nonce + 1)
    return {
      from,
      to: (from + 1 + draw(payers - 1)) % payers,
      value: BigInt(1 + draw(1_000_000)),
      nonce,
      maxFeePerGas: stays ? 1n : 3_000_000_000n,
      maxPriorityFeePerGas: stays ? 1n : BigInt(1_000_000 + draw(1_000)),
    }
  }

  async function deliver(transfer: Transfer, stays: boolean): Promise<void> {
    const raw = await signTransfer(network, transfer)
    const asks = plan.groupsOf(transfer.from).map(group => take(raw, group))
    const answers = (await Promise.all(asks)).filter(answer => answer !== undefined)
    const hash = answers[0]?.hash
    if (hash !== undefined) sent.push({ hash, transfer, stays, taken: answers })
  }

  async function take(raw: `0x${string}`, group: readonly number[]) {
    let last: unknown
    for (let tried = 0; tried < tries; tried += 1) {
      const node = group[draw(group.length)] ?? 0
      const answer = await submit(agent, network.nodes[node]?.rpc ?? '', raw).catch(
        (error: Error) => {
          last = error
        },
      )
      if (answer === undefined) {
        await pause(100)
        continue
      }
      if ('hash' in answer) return { hash: answer.hash, node, atMs: Date.now() }
      refused.push(`n${node}: ${answer.refusal}`)
      return undefined
    }
    refused.push(`nobody of ${group} answered: ${last}`)
    return undefined
  }

  async function pump(): Promise<void> {
    const begun = performance.now()
    const made = { all: 0, stays: 0 }
    while (isOn) {
      const seconds = (performance.now() - begun) / 1_000
      while (isOn && flying.size < flyingMax && made.all < seconds * plan.perSecond) {
        const stays = made.stays < seconds * plan.staysPerSecond
        made.all += 1
        if (stays) made.stays += 1
        const delivery = deliver(next(stays), stays).finally(() => flying.delete(delivery))
        flying.add(delivery)
      }
      await pause(tickMs)
    }
  }

  function resume(): void {
    if (isOn) return
    isOn = true
    running = pump()
  }

  resume()
  return {
    sent: sent as readonly Sent[],
    /** Refusals, which a load without gaps should never meet. */
    refused: refused as readonly string[],
    resume,
    /** Sends nothing more until `resume`; resolves when all is answered. */
    async pause(): Promise<void> {
      isOn = false
      await running
      await Promise.all(flying)
    },
    close: () => agent.destroy(),
  }
}

/** The transaction's hash, also when the node has it from another; a refusal; rejects when the node does not answer. */
async function submit(
  agent: Agent,
  rpc: string,
  raw: `0x${string}`,
): Promise<{ hash: string } | { refusal: string }> {
  const body = { jsonrpc: '2.0', id: 1, method: 'eth_sendRawTransaction', params: [raw] }
  const { result, error } = (await post(agent, rpc, JSON.stringify(body))) as {
    result?: string
    error?: { message: string }
  }
  if (result !== undefined) return { hash: result }
  const refusal = error?.message ?? 'no result'
  // It came over the network, or an earlier try was heard though not answered.
  if (!/already known|nonce too low/.test(refusal)) return { refusal }
  return { hash: keccak256(raw) }
}

function post(agent: Agent, url: string, body: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const signal = AbortSignal.timeout(answerMs)
    const asked = request(url, { method: 'POST', agent, headers, signal }, response => {
      json(response).then(resolve, reject)
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Hashes in a node's pool, pending or queued. */
export async function poolOf(rpc: string): Promise<string[]> {
  type Senders = Record<string, Record<string, { hash: string }>>
  const { pending, queued } = await call<{ pending: Senders; queued: Senders }>(
    rpc,
    'txpool_content',
  )
  return [pending, queued]
    .flatMap(part => Object.values(part).flatMap(Object.values<{ hash: string }>))
    .map(({ hash }) => hash)
    .sort()
}
