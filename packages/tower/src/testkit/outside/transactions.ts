import { hash160, join, publicKey, sha256d, signDigest } from './lightning.ts'

/** An output that `secret` may spend. The id is in internal order. */
export interface Coin {
  readonly txid: Uint8Array
  readonly index: number
  readonly value: number
  readonly secret: Uint8Array
}

export interface Payment {
  readonly raw: Uint8Array
  readonly txid: Uint8Array
  /** What its first output is worth, spendable by the key it was paid to. */
  readonly coin: Coin
}

export interface PaymentOptions {
  readonly to: Uint8Array
  readonly fee: number
  readonly lockTime?: number
  readonly sequence?: number
  /** Another key signs than the one the output asks for. */
  readonly forged?: boolean
}

export const keyHash = (secret: Uint8Array): Uint8Array => hash160(publicKey(secret))
/** The id as people and JSON-RPC write it. */
export const shownId = (txid: Uint8Array): string => Buffer.from(txid).reverse().toString('hex')

/** Pays a whole coin, but for the fee, to the key of `to`. Version 2, one input and one output of a version 0 witness program, really signed. */
export function pay(coin: Coin, options: PaymentOptions): Payment {
  const { to, fee, lockTime = 0, sequence = 0xffff_fffd, forged = false } = options
  const value = coin.value - fee
  const outpoint = join(coin.txid, u32(coin.index))
  const output = join(u64(value), Uint8Array.of(22, 0, 20), keyHash(to))
  const secret = forged ? to : coin.secret
  const pub = publicKey(secret)
  const scriptCode = join(
    Uint8Array.of(0x19, 0x76, 0xa9, 0x14),
    keyHash(coin.secret),
    Uint8Array.of(0x88, 0xac),
  )
  const digest = sha256d(
    join(
      ...[u32(2), sha256d(outpoint), sha256d(u32(sequence)), outpoint, scriptCode],
      ...[u64(coin.value), u32(sequence), sha256d(output), u32(lockTime), u32(1)],
    ),
  )
  const signature = join(signDigest(secret, digest), Uint8Array.of(1))
  const body = join(
    ...[Uint8Array.of(1), outpoint, Uint8Array.of(0), u32(sequence)],
    ...[Uint8Array.of(1), output],
  )
  const own = forged ? publicKey(coin.secret) : pub
  const witness = join(
    ...[Uint8Array.of(2, signature.length), signature, Uint8Array.of(own.length), own],
  )
  const txid = sha256d(join(u32(2), body, u32(lockTime)))
  return {
    txid,
    raw: join(u32(2), Uint8Array.of(0, 1), body, witness, u32(lockTime)),
    coin: { txid, index: 0, value, secret: to },
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}
