import type { ActorRef, Log } from '@rockpool/actor'
import {
  type Answer,
  type ChainMessage,
  type Fact,
  type Forks,
  type Hash,
  type HealthView,
  type LinkFaults,
  limits,
  type PoolMessage,
  type ProducerMessage,
  type Signer,
} from '@rockpool/protocol'
import { type Asker, createLine, type Line } from './line.ts'
import { failureError } from './rpc-error.ts'

/** What the JSON-RPC edge needs of the node it stands before. */
export interface RpcParts {
  readonly bus: Asker
  readonly refs: {
    readonly chain: ActorRef<ChainMessage>
    readonly pool: ActorRef<PoolMessage>
    readonly producer: ActorRef<ProducerMessage>
  }
  readonly chainId: number
  readonly genesisHash: Hash
  /** Forks of the chain; absent: those of the dev chain. */
  readonly forks?: Forks
  /** Accounts of eth_sendTransaction and its kin. */
  readonly signer: Signer
  readonly keccak256: (bytes: Uint8Array) => Uint8Array
  /** Calls back with every fact until the returned function is called. */
  readonly observe: (listener: (fact: Fact) => void) => () => void
  readonly peerCount: () => number
  readonly listening: () => boolean
  /** Version of Rockpool, for example `0.1.0`. */
  readonly version: string
  /** Offer the methods that make blocks. */
  readonly devnetControl: boolean
  /** Calls a method of every other node of this devnet that runs; resolves when all have answered. Absent: there are none. */
  readonly others?: (method: string, params: readonly unknown[]) => Promise<void>
  /** Links to other nodes that may be slowed and cut; absent: the methods for that are not offered. */
  readonly links?: LinkFaults
  /** Take transactions without EIP-155 protection. */
  readonly allowUnprotected: boolean
  /** Most that gas x fee cap of a submitted transaction may come to; 0: no cap. Wei. */
  readonly txFeeCapWei: bigint
  /** How long eth_sendRawTransactionSync waits when not told, and at most. Milliseconds; default 20 s and 60 s. */
  readonly syncWaitMs?: { readonly standard: number; readonly max: number }
  readonly log: Log
  /** True while the node stops. */
  readonly draining: () => boolean
  /** What rockpool_health answers; absent: the method is not offered. */
  readonly health?: () => HealthView
  /** Calls of one batch; default 1,000. */
  readonly batchMax?: number
  /** Bytes of all answers of one batch; default 25,000,000. */
  readonly responseBytesMax?: number
}

/** The parts with the three actors behind their lines. */
export interface Backend {
  readonly parts: RpcParts
  readonly chain: Line<ChainMessage>
  readonly pool: Line<PoolMessage>
  readonly producer: Line<ProducerMessage>
}

export function createBackend(parts: RpcParts): Backend {
  const { bus, refs } = parts
  const shared = { waitingMax: limits.rpcAsksWaitingMax, deadlineMs: limits.rpcDeadlineMs }
  const { chain, pool, producer } = limits.rpcAsksMax
  return {
    parts,
    chain: createLine(bus, refs.chain, { underWayMax: chain, ...shared }),
    pool: createLine(bus, refs.pool, { underWayMax: pool, ...shared }),
    producer: createLine(bus, refs.producer, { underWayMax: producer, ...shared }),
  }
}

/** The value of an answer; its failure is thrown as what the caller gets. */
export function valueOf<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw failureError(answer)
}
