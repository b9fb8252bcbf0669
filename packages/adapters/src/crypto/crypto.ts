import { hash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import {
  CodedError,
  type Crypto,
  limits,
  type RecoveryJob,
  type TowerCrypto,
} from '@rockpool/protocol'
import { keccak256 } from './keccak.ts'
import { packJobs, type Recovered, recoverPacked, unpackAnswers } from './packed.ts'
import { checkWidths, type RecoveryPool, startRecoveryPool } from './pool.ts'
import { openSealed, ripemd160, sealPlain } from './seal.ts'
import { type Backend, openSecp, type Secp } from './secp.ts'

export interface CryptoOptions {
  /** Recovery threads at most, started as they are needed; 0 recovers in the calling thread. Default: one per core, up to 4. */
  readonly workers?: number
  /** This implementation or none. Default: the fastest that loads. */
  readonly force?: Backend
  readonly log?: { warn(code: string, fields?: Record<string, unknown>): void }
}

export interface NodeCrypto extends Crypto, TowerCrypto {
  sha256(bytes: Uint8Array): Uint8Array
  /** For people: `secp256k1 native, 2 workers`. */
  describe(): string
  /** Why a faster implementation is not in use; absent when the fastest is. */
  readonly fallbackReason?: string | undefined
  /** Ends the threads. May be called again. */
  close(): Promise<void>
}

/** The `Crypto` port: recovery in threads, hashes in the calling one. Throws `crypto/self-test` when an answer is wrong. */
export async function createCrypto(options: CryptoOptions = {}): Promise<NodeCrypto> {
  const workers = options.workers ?? defaultWorkers()
  const opened = await openSecp(options.force)
  let fallbackReason = opened.fallbackReason
  if (fallbackReason) options.log?.warn('crypto/fallback', fallbackFields(fallbackReason))
  const recovery =
    workers === 0
      ? recoverHere(opened.secp)
      : await startRecoveryPool({
          workers,
          backend: opened.secp.backend,
          onFallback(from, to, reason) {
            fallbackReason = `${from}: ${reason}`
            options.log?.warn('crypto/fallback', { to, ...fallbackFields(fallbackReason) })
          },
        })
  return {
    get backend() {
      return recovery.backend
    },
    get fallbackReason() {
      return fallbackReason
    },
    workers,
    keccak256,
    sha256(bytes) {
      const digest = hash('sha256', bytes, 'buffer')
      return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength)
    },
    ripemd160,
    seal: sealPlain,
    open: openSealed,
    isPublicKey: opened.secp.isPoint,
    recover: async jobs => (await recovery.recover(jobs)).map(each => each?.address),
    recoverKeys: async jobs => (await recovery.recover(jobs)).map(each => each?.key),
    describe: () => `secp256k1 ${recovery.backend}, ${counted(workers)}`,
    close: () => recovery.close(),
  }
}

function fallbackFields(reason: string) {
  return { reason, remedy: 'npm rebuild secp256k1 --ignore-scripts=false' }
}

function counted(workers: number): string {
  if (workers === 0) return 'in the calling thread'
  return workers === 1 ? '1 worker' : `${workers} workers`
}

function defaultWorkers(): number {
  return Math.min(availableParallelism(), limits.recoveryWorkersMax)
}

/** Recovery without threads, for tests and small machines. The event loop gets a turn between batches. */
function recoverHere(secp: Secp): RecoveryPool {
  let closed = false
  return {
    backend: secp.backend,
    workers: 0,
    async recover(jobs: readonly RecoveryJob[]) {
      for (const job of jobs) checkWidths(job)
      const answers: (Recovered | undefined)[] = []
      for (let at = 0; at < jobs.length; at += limits.recoveryBatchMax) {
        if (at > 0) await setImmediate()
        if (closed) throw new CodedError('crypto/closed')
        const batch = packJobs(jobs.slice(at, at + limits.recoveryBatchMax))
        answers.push(...unpackAnswers(recoverPacked(secp, batch)))
      }
      return answers
    },
    async close() {
      closed = true
    },
  }
}
