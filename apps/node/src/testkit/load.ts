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
/** What is due is sent together this often. */
const tickMs = 25
const answerMs = 10_000
const tries = 100
const retryMs = 100
/** Connections to one node: a node takes only so many of one client. */
const connectionsMax = 16
/** Batches without an answer; beyond that the load waits and falls behind its rate. */
const flyingMax = 100
/** Transfers of one batch. */
const batchMax = 50

type Raw = `0x${string}`

interface Signed {
  readonly raw: Raw
  readonly transfer: Transfer
  readonly stays: boolean
}

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

  function next(stays: boolean): Signed {
    const from = stays ? payers + draw(stayers) : draw(payers)
    const nonce = nonces.get(from) ?? 0
    nonces.set(from, nonce + 1)
    const transfer = {
      from,
      to: (from + 1 + draw(payers - 1)) % payers,
      value: BigInt(1 + draw(1_000_000)),
      nonce,
      maxFeePerGas: stays ? 1n : 3_000_000_000n,
      maxPriorityFeePerGas: stays ? 1n : BigInt(1_000_000 + draw(1_000)),
    }
    return { raw: signTransfer(network, transfer), transfer, stays }
  }

  /** Transfers of one batch, all for the same groups. */
  async function deliver(
    batch: readonly Signed[],
    groups: readonly (readonly number[])[],
  ): Promise<void> {
    const raws = batch.map(({ raw }) => raw)
    const answers = await Promise.all(groups.map(group => take(raws, group)))
    batch.forEach(({ raw, transfer, stays }, index) => {
      const taken = answers.flatMap(answer => answer[index] ?? [])
      if (taken.length > 0) sent.push({ hash: keccak256(raw), transfer, stays, taken })
    })
  }

  /** Who took each and when; nothing for what was refused or never answered. */
  async function take(raws: readonly Raw[], group: readonly number[]) {
    let last: unknown
    for (let tried = 0; tried < tries; tried += 1) {
      const node = group[draw(group.length)] ?? 0
      const answers = await submit(agent, network.nodes[node]?.rpc ?? '', raws).catch(error => {
        last = error
      })
      if (answers !== undefined) {
        const atMs = Date.now()
        return answers.map(refusal => {
          if (refusal === undefined) return { node, atMs }
          refused.push(`n${node}: ${refusal}`)
          return undefined
        })
      }
      await pause(retryMs)
    }
    refused.push(`nobody of ${group} answered: ${last}`)
    return []
  }

  async function pump(): Promise<void> {
    const begun = performance.now()
    const made = { all: 0, stays: 0 }
    while (isOn) {
      const seconds = (performance.now() - begun) / 1_000
      while (isOn && flying.size < flyingMax && made.all < seconds * plan.perSecond) {
        const due = Math.min(batchMax, Math.ceil(seconds * plan.perSecond - made.all))
        const batches = new Map<string, Signed[]>()
        for (let count = 0; count < due; count += 1) {
          const stays = made.stays < seconds * plan.staysPerSecond
          made.all += 1
          if (stays) made.stays += 1
          const signed = next(stays)
          const key = JSON.stringify(plan.groupsOf(signed.transfer.from))
          batches.set(key, [...(batches.get(key) ?? []), signed])
        }
        for (const [key, batch] of batches) {
          const delivery = deliver(batch, JSON.parse(key) as number[][]).finally(() =>
            flying.delete(delivery),
          )
          flying.add(delivery)
        }
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

/** For each transaction undefined when the node has it, else why not; rejects when the node does not answer. */
async function submit(
  agent: Agent,
  rpc: string,
  raws: readonly Raw[],
): Promise<(string | undefined)[]> {
  const calls = raws.map((raw, id) => ({
    ...{ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [raw] },
  }))
  const answers = (await post(agent, rpc, JSON.stringify(calls))) as {
    result?: string
    error?: { message: string }
  }[]
  if (!Array.isArray(answers)) throw new Error(JSON.stringify(answers))
  return answers.map(({ result, error }) => {
    if (result !== undefined) return undefined
    const refusal = error?.message ?? 'no result'
    // It came over the network, or an earlier try was heard though not answered.
    return /already known|nonce too low/.test(refusal) ? undefined : refusal
  })
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
