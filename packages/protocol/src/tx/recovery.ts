import { type Answer, type Failure, failed, ok } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Crypto, RecoveryJob } from '../ports.ts'
import { type Address, fromHex, type Hash } from '../values/bytes.ts'
import { authorizationPayload } from './encode.ts'
import type { DecodedTx, TxRecord } from './record.ts'
import { isSignatureInRange, signatureParity } from './signature.ts'

export interface Recovery {
  /**
   * Senders and authorities of decoded transactions, one answer each, in order. What the form of a signature already tells fails without
   * recovery. Nothing is recovered twice: a known hash is answered from memory, one on its way is waited for.
   * Failures: `pool/wrong-chain`, `pool/invalid-sender`; `load/internal` when a recovery worker died, which may be tried again.
   */
  recover(txs: readonly DecodedTx[]): Promise<readonly Answer<TxRecord>[]>
  /** The record of a hash recovered not long ago. */
  known(hash: Hash): TxRecord | undefined
}

/** Recovery for one chain. Of more than `rememberedMax` records the one used longest ago is forgotten. */
export function createRecovery(
  crypto: Crypto,
  chainId: bigint,
  rememberedMax: number = limits.recoveredTxsMax,
): Recovery {
  const recovered = new Map<Hash, TxRecord>()
  // Kept, since all before it is gone: a fresh one would walk over everything deleted since the map was last rebuilt, 45 µs at full size.
  const oldest = recovered.keys()
  const underWay = new Map<Hash, Promise<Answer<TxRecord>>>()

  function known(hash: Hash): TxRecord | undefined {
    const record = recovered.get(hash)
    if (record === undefined) return undefined
    recovered.delete(hash)
    recovered.set(hash, record)
    return record
  }

  function remember(record: TxRecord): void {
    recovered.set(record.hash, record)
    if (recovered.size <= rememberedMax) return
    const { value: first } = oldest.next()
    if (first !== undefined) recovered.delete(first)
  }

  function recover(txs: readonly DecodedTx[]): Promise<readonly Answer<TxRecord>[]> {
    const jobs: RecoveryJob[] = []
    const fresh: (() => void)[] = []
    const batch = later<readonly (Address | undefined)[]>()
    const answers = txs.map((tx): Answer<TxRecord> | Promise<Answer<TxRecord>> => {
      const record = known(tx.hash)
      if (record !== undefined) return ok(record)
      const waiting = underWay.get(tx.hash)
      if (waiting !== undefined) return waiting
      const parity = signatureParity(tx, chainId)
      if (!parity.ok) return parity
      const build = planned(tx, parity.value, crypto, jobs)
      const answer = batch.promise.then(addresses => {
        const built = build(addresses)
        if (built.ok) remember(built.value)
        return built
      }, crashed)
      underWay.set(tx.hash, answer)
      fresh.push(() => underWay.delete(tx.hash))
      return answer
    })
    if (jobs.length > 0) batch.follow(crypto.recover(jobs))
    return Promise.all(answers).finally(() => {
      for (const forget of fresh) forget()
    })
  }

  return { recover, known }
}

/** Appends this transaction's signatures to `jobs`; what comes back makes the record once their signers are known. */
function planned(
  tx: DecodedTx,
  parity: 0 | 1,
  crypto: Crypto,
  jobs: RecoveryJob[],
): (addresses: readonly (Address | undefined)[]) => Answer<TxRecord> {
  const senderAt = jobs.length
  jobs.push(jobOf(crypto.keccak256(tx.signingPayload), tx.r, tx.s, parity))
  const slotsAt = tx.authorizations.map(authorization => {
    const { r, s, yParity } = authorization
    if (!isSignatureInRange(r, s, yParity)) return undefined
    const digest = crypto.keccak256(authorizationPayload(authorization))
    return jobs.push(jobOf(digest, r, s, yParity === 0n ? 0 : 1)) - 1
  })
  return addresses => {
    const sender = addresses[senderAt]
    if (sender === undefined) {
      return failed('pool/invalid-sender', 'invalid sender: recovery failed')
    }
    const authoritySlots = slotsAt.map(at => (at === undefined ? null : (addresses[at] ?? null)))
    return ok(withSigners(tx, sender, authoritySlots))
  }
}

/**
 * A decoded transaction as a record, given its sender and the signer of each authorization. Field by field, not by spreading: a spread
 * copy keeps most fields outside the object, and running a block of them takes twice as long.
 */
export function withSigners(
  tx: DecodedTx,
  sender: Address,
  authoritySlots: readonly (Address | null)[],
): TxRecord {
  const signed = authoritySlots.filter(address => address !== null)
  return {
    raw: tx.raw,
    hash: tx.hash,
    type: tx.type,
    chainId: tx.chainId,
    nonce: tx.nonce,
    feeCap: tx.feeCap,
    tip: tx.tip,
    gas: tx.gas,
    to: tx.to,
    value: tx.value,
    data: tx.data,
    accessList: tx.accessList,
    authorizations: tx.authorizations,
    v: tx.v,
    r: tx.r,
    s: tx.s,
    signingPayload: tx.signingPayload,
    cost: tx.cost,
    slots: tx.slots,
    zeroBytes: tx.zeroBytes,
    nonZeroBytes: tx.nonZeroBytes,
    accessAddressCount: tx.accessAddressCount,
    accessKeyCount: tx.accessKeyCount,
    sender,
    authorities: signed.length === 0 ? noAddresses : [...new Set(signed)],
    authoritySlots,
  }
}

const noAddresses: readonly Address[] = []

function jobOf(digest: Uint8Array, r: bigint, s: bigint, id: number): RecoveryJob {
  return { digest, r: word(r), s: word(s), id }
}

function word(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}

/** A dead worker says nothing about the transaction; any other rejection is a bug and stays one. */
function crashed(reason: unknown): Failure {
  const isCrash =
    typeof reason === 'object' &&
    reason !== null &&
    'code' in reason &&
    reason.code === 'crypto/crashed'
  if (!isCrash) throw reason
  return failed('load/internal', 'txpool is not ready: signature recovery crashed')
}

interface Later<T> {
  readonly promise: Promise<T>
  follow(source: Promise<T>): void
}

function later<T>(): Later<T> {
  let resolve: (value: T | Promise<T>) => void = () => undefined
  const promise = new Promise<T>(settle => {
    resolve = settle
  })
  return { promise, follow: source => resolve(source) }
}
