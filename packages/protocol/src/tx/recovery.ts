import { type Answer, type Failure, failed, ok } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Crypto, RecoveryJob } from '../ports.ts'
import type { Address, Hash } from '../values/bytes.ts'
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
  const underWay = new Map<Hash, Plan>()

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
    const fresh: Plan[] = []
    const slots = txs.map((tx): Answer<TxRecord> | Plan => {
      const record = known(tx.hash)
      if (record !== undefined) return ok(record)
      const waiting = underWay.get(tx.hash)
      if (waiting !== undefined) return waiting
      const parity = signatureParity(tx, chainId)
      if (!parity.ok) return parity
      const plan = planned(tx, parity.value, crypto, jobs)
      underWay.set(tx.hash, plan)
      fresh.push(plan)
      return plan
    })
    if (fresh.length > 0) {
      const settled = settle(fresh, jobs)
      // Whoever waits for it gets its rejection; it is not one that nobody handles.
      settled.catch(() => undefined)
      for (const plan of fresh) plan.settled = settled
    }
    return collect(slots)
  }

  async function settle(plans: readonly Plan[], jobs: readonly RecoveryJob[]): Promise<void> {
    try {
      const addresses = await crypto.recover(jobs)
      for (const plan of plans) {
        const answer = built(plan, addresses)
        if (answer.ok) remember(answer.value)
        plan.answer = answer
      }
    } catch (reason) {
      const failure = crashed(reason)
      for (const plan of plans) plan.answer = failure
    } finally {
      for (const { tx } of plans) underWay.delete(tx.hash)
    }
  }

  return { recover, known }
}

/** A transaction whose signers are being recovered, and then its answer. One promise serves all of a call: they are told together. */
interface Plan {
  readonly tx: DecodedTx
  /** Where the sender stands among the jobs of its call, and each authority; undefined: not asked for. */
  readonly senderAt: number
  readonly slotsAt: readonly (number | undefined)[]
  settled: Promise<void> | undefined
  answer: Answer<TxRecord> | undefined
}

async function collect(
  slots: readonly (Answer<TxRecord> | Plan)[],
): Promise<readonly Answer<TxRecord>[]> {
  const answers: Answer<TxRecord>[] = []
  for (const slot of slots) {
    if ('ok' in slot) {
      answers.push(slot)
      continue
    }
    if (slot.answer === undefined) await slot.settled
    if (slot.answer === undefined) throw new TypeError('a settled plan has its answer')
    answers.push(slot.answer)
  }
  return answers
}

/** Appends this transaction's signatures to `jobs`. */
function planned(tx: DecodedTx, parity: 0 | 1, crypto: Crypto, jobs: RecoveryJob[]): Plan {
  const senderAt = jobs.length
  jobs.push(jobOf(crypto.keccak256(tx.signingPayload), tx.r, tx.s, parity))
  const slotsAt = tx.authorizations.map(authorization => {
    const { r, s, yParity } = authorization
    if (!isSignatureInRange(r, s, yParity)) return undefined
    const digest = crypto.keccak256(authorizationPayload(authorization))
    return jobs.push(jobOf(digest, r, s, yParity === 0n ? 0 : 1)) - 1
  })
  return { tx, senderAt, slotsAt, settled: undefined, answer: undefined }
}

/** The record, now that the signers are known. */
function built(
  { tx, senderAt, slotsAt }: Plan,
  addresses: readonly (Address | undefined)[],
): Answer<TxRecord> {
  const sender = addresses[senderAt]
  if (sender === undefined) return failed('pool/invalid-sender', 'invalid sender: recovery failed')
  const authoritySlots = slotsAt.map(at => (at === undefined ? null : (addresses[at] ?? null)))
  return ok(withSigners(tx, sender, authoritySlots))
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

const scratch = new Uint8Array(32)
const words = new DataView(scratch.buffer)

/** 32 bytes, big-endian. The setter takes the low 64 bits; by text it would take three times as long. */
function word(value: bigint): Uint8Array {
  let rest = value
  for (let at = 24; at >= 0; at -= 8) {
    words.setBigUint64(at, rest)
    rest >>= 64n
  }
  return scratch.slice()
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
