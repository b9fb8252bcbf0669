import {
  type Added,
  type Address,
  type Answer,
  checkSubmission,
  createdAddress,
  encodeSigned,
  encodeUnsigned,
  type Hash,
  hashOf,
  limits,
  type PoolContent,
  type Signature,
  type TxRecord,
  toHex,
  unsignedPayload,
  zeroAddress,
} from '@rockpool/protocol'
import { type Method, method } from '../method.ts'
import { type Backend, valueOf } from '../parts.ts'
import { busy, failureError, plain } from '../rpc-error.ts'
import { accessListJson, authorizationJson, pendingTxJson, quantity } from './encode.ts'
import { createMinedWait } from './eth-send-wait.ts'
import { type Filled, fill, refuseBlobs, requireComplete, unknownAccount } from './fill.ts'
import { address, bytes, optional, waitMs, quantityParam as wei } from './params.ts'
import { type TxArgs, txArgs } from './tx-args.ts'

const noSignature: Signature = { r: new Uint8Array(0), s: new Uint8Array(0), yParity: 0 }

/** Submitting, and signing with the accounts of this node. */
export function ethSendMethods(backend: Backend): Method[] {
  const { pool, parts } = backend
  const { signer, keccak256, allowUnprotected } = parts
  const rules = {
    allowUnprotected,
    ...(parts.txFeeCapWei > 0n && { feeCapWei: parts.txFeeCapWei }),
  }
  const inOrder = createOrder()
  const untilMined = createMinedWait(backend)

  /** The raw path of every transaction: one question, nothing decoded here. The pool judges `rules` on what it decodes anyway. */
  async function submit(raw: Uint8Array): Promise<Hash> {
    const answer = await pool.ask<Answer<Added>>(reply => ({
      type: 'pool.submit',
      raw,
      ...rules,
      reply,
    }))
    return valueOf(answer).hash
  }

  async function askNonce(sender: Address): Promise<bigint> {
    return valueOf(
      await pool.ask<Answer<bigint>>(reply => ({ type: 'pool.getNonce', address: sender, reply })),
    )
  }

  async function sign(account: Address, digest: Uint8Array): Promise<Signature> {
    return valueOf(await signer.sign(account, digest))
  }

  async function signFilled(from: Address, tx: Filled): Promise<Uint8Array> {
    return encodeSigned(tx, await sign(from, keccak256(unsignedPayload(tx))))
  }

  function ownAccount({ from = zeroAddress }: TxArgs): Address {
    if (!signer.accounts().includes(from)) throw unknownAccount()
    return from
  }

  async function sendFilled(from: Address, args: TxArgs): Promise<Hash> {
    const tx = await fill(backend, args, askNonce)
    const hash = await submit(await signFilled(from, tx))
    if (tx.to === null) {
      const contract = createdAddress(from, tx.nonce, keccak256)
      parts.log.info('rpc/creation-submitted', { hash, from, nonce: Number(tx.nonce), contract })
    }
    return hash
  }

  /** Signs a pending transaction of this account anew, with another price or another gas limit. */
  async function resend(args: TxArgs, gasPrice?: bigint, gas?: bigint): Promise<Hash> {
    if (args.nonce === undefined) throw plain('missing transaction nonce in transaction spec')
    refuseBlobs(args)
    const wanted = await fill(backend, args, askNonce)
    const from = ownAccount(args)
    const digest = toHex(keccak256(unsignedPayload(wanted)))
    const { pending } = await pool.ask<PoolContent>(reply => ({
      type: 'pool.getContent',
      from,
      reply,
    }))
    const found = (pending.get(from) ?? []).some(
      tx => toHex(keccak256(unsignedPayload(tx))) === digest,
    )
    if (!found) throw plain(`transaction ${toHex(keccak256(encodeUnsigned(wanted)))} not found`)
    return sendFilled(from, repriced(args, gasPrice, gas))
  }

  async function send(args: TxArgs): Promise<Hash> {
    const from = ownAccount(args)
    // Held until the pool has answered: two quick calls must not read the same next nonce.
    if (args.nonce === undefined) return inOrder(from, () => checkedSend(from, args))
    return checkedSend(from, args)
  }

  async function checkedSend(from: Address, args: TxArgs): Promise<Hash> {
    refuseBlobs(args)
    return sendFilled(from, args)
  }

  async function ownPending(): Promise<TxRecord[]> {
    const contents = await Promise.all(
      signer
        .accounts()
        .map(from => pool.ask<PoolContent>(reply => ({ type: 'pool.getContent', from, reply }))),
    )
    return contents.flatMap(content => [...content.pending.values()].flat())
  }

  return [
    method('eth_sendRawTransaction', [bytes], ([raw]) => submit(raw), { cost: 4 }),
    method(
      'eth_sendRawTransactionSync',
      [bytes, optional(waitMs)],
      async ([raw, wanted]) => {
        const slot = untilMined.reserve()
        try {
          return await slot.wait(await submit(raw), wanted)
        } finally {
          slot.release()
        }
      },
      { cost: 4 },
    ),
    method('eth_accounts', [], () => signer.accounts()),
    method('eth_sendTransaction', [txArgs], ([args]) => send(args), { cost: 4 }),
    method(
      'eth_resend',
      [txArgs, optional(wei('gasPrice', '*hexutil.Big')), optional(wei('gas', '*hexutil.Big'))],
      ([args, gasPrice, gas]) => resend(args, gasPrice, gas),
      { cost: 4 },
    ),
    method('eth_signTransaction', [txArgs], async ([args]) => {
      refuseBlobs(args)
      requireComplete(args)
      const tx = await fill(backend, args, askNonce)
      const fault = checkSubmission(tx, rules)
      if (fault !== undefined) throw failureError(fault)
      const from = ownAccount(args)
      const signature = await sign(from, keccak256(unsignedPayload(tx)))
      const raw = encodeSigned(tx, signature)
      return { raw: toHex(raw), tx: filledJson(tx, signature, keccak256(raw)) }
    }),
    method('eth_fillTransaction', [txArgs], async ([args]) => {
      refuseBlobs(args)
      const tx = await fill(backend, args, askNonce)
      const raw = encodeUnsigned(tx)
      return { raw: toHex(raw), tx: filledJson(tx, noSignature, keccak256(raw)) }
    }),
    method('eth_sign', [address, bytes], async ([account, message]) => {
      if (!signer.accounts().includes(account)) throw unknownAccount()
      const { r, s, yParity } = await sign(account, personalDigest(message, keccak256))
      return toHex(Buffer.concat([r, s, Buffer.of(27 + yParity)]))
    }),
    method('eth_pendingTransactions', [], async () => (await ownPending()).map(pendingTxJson), {
      answer: 'large',
    }),
  ]
}

/** The same wish with another price, which makes it one of the types before fee caps, or another gas limit. */
function repriced(args: TxArgs, gasPrice = 0n, gas = 0n): TxArgs {
  const withGas = gas === 0n ? args : { ...args, gas }
  if (gasPrice === 0n) return withGas
  const { maxFeePerGas: _, maxPriorityFeePerGas: __, ...rest } = withGas
  return { ...rest, gasPrice }
}

/** Runs the work of one sender one after the other, in the order of the calls. */
function createOrder() {
  const lines = new Map<Address, { last: Promise<unknown>; waiting: number }>()
  return async <T>(sender: Address, work: () => Promise<T>): Promise<T> => {
    const line = lines.get(sender) ?? { last: Promise.resolve(), waiting: 0 }
    if (line.waiting >= limits.rpcSendsWaitingMax)
      throw busy('too many transactions of this sender wait for a nonce')
    lines.set(sender, line)
    line.waiting++
    const mine = line.last.then(work)
    line.last = mine.catch(() => undefined)
    try {
      return await mine
    } finally {
      line.waiting--
      if (line.waiting === 0) lines.delete(sender)
    }
  }
}

/** What personal messages are signed over, so that a message can never be a transaction (EIP-191). */
function personalDigest(
  message: Uint8Array,
  keccak256: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const prefix = Buffer.from(`\x19Ethereum Signed Message:\n${message.length}`, 'latin1')
  return keccak256(Buffer.concat([prefix, message]))
}

/** A transaction on its own, as geth writes what it has signed. */
function filledJson(tx: Filled, { r, s, yParity }: Signature, hash: Uint8Array) {
  const capped = tx.type === 2 || tx.type === 4
  const signed = r.length > 0
  const v = tx.type !== 0 ? BigInt(yParity) : signed ? 35n + 2n * tx.chainId + BigInt(yParity) : 0n
  return {
    type: quantity(tx.type),
    // An unsigned legacy transaction does not say for which chain it is.
    ...((tx.type !== 0 || signed) && { chainId: quantity(tx.chainId) }),
    nonce: quantity(tx.nonce),
    to: tx.to,
    gas: quantity(tx.gas),
    gasPrice: capped ? null : quantity(tx.feeCap),
    maxPriorityFeePerGas: capped ? quantity(tx.tip) : null,
    maxFeePerGas: capped ? quantity(tx.feeCap) : null,
    value: quantity(tx.value),
    input: toHex(tx.data),
    ...(tx.type !== 0 && { accessList: accessListJson(tx.accessList) }),
    ...(tx.type === 4 && { authorizationList: tx.authorizations.map(authorizationJson) }),
    v: quantity(v),
    r: quantity(signed ? BigInt(toHex(r)) : 0n),
    s: quantity(signed ? BigInt(toHex(s)) : 0n),
    ...(tx.type !== 0 && { yParity: quantity(v) }),
    hash: hashOf(hash),
  }
}
