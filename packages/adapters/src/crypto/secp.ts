import { createRequire } from 'node:module'
import { secp256k1 as noble } from '@noble/curves/secp256k1.js'
import { CodedError, fromHex, toHex } from '@rockpool/protocol'

export type Backend = 'native' | 'wasm' | 'noble'

/**
 * One contract over three libraries that differ in what they throw, take and return. Digests and keys are 32 bytes, signatures 64 bytes
 * r ‖ s. High s recovers (low s is a rule of transactions, not of the curve) but does not verify.
 */
export interface Secp {
  readonly backend: Backend
  /** The 65-byte public key, or undefined where none can be recovered: r or s out of range, id above 3, no such point. */
  recover(digest: Uint8Array, signature: Uint8Array, id: number): Uint8Array | undefined
  /** Low-s RFC 6979 signature. */
  sign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; id: number }
  /** True for a low-s signature by this 33- or 65-byte public key. */
  verify(digest: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean
  /** The 65-byte public key, or undefined when the private key is zero or not below the group order. */
  publicKey(privateKey: Uint8Array): Uint8Array | undefined
  /** Whether these bytes are a point of the curve in 33 bytes. */
  isPoint(bytes: Uint8Array): boolean
}

/** The calls of the native binding this file uses. */
interface NativeBinding {
  ecdsaRecover(sig: Uint8Array, id: number, digest: Uint8Array, compressed: boolean): Uint8Array
  ecdsaSign(digest: Uint8Array, key: Uint8Array): { signature: Uint8Array; recid: number }
  ecdsaVerify(sig: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean
  publicKeyCreate(key: Uint8Array, compressed: boolean): Uint8Array
  publicKeyVerify(key: Uint8Array): boolean
}

export interface Candidate {
  readonly backend: Backend
  load(): Promise<Secp>
}

/** Fastest first: about 17,000, 4,000 and 760 recoveries per CPU second. */
export const candidates: readonly Candidate[] = [
  { backend: 'native', load: async () => nativeSecp() },
  { backend: 'wasm', load: wasmSecp },
  { backend: 'noble', load: async () => nobleSecp() },
]

export interface OpenedSecp {
  readonly secp: Secp
  /** Why a faster one is not in use. */
  readonly fallbackReason?: string
}

/**
 * The first candidate that loads, after it has passed the self-test. One that loads and answers wrongly is fatal (`crypto/self-test`):
 * a node that cannot verify must not run.
 */
export async function openSecp(
  force?: Backend,
  from: readonly Candidate[] = candidates,
): Promise<OpenedSecp> {
  const reasons: string[] = []
  for (const candidate of from) {
    if (force !== undefined && candidate.backend !== force) continue
    const secp = await candidate.load().catch((cause: unknown) => {
      reasons.push(`${candidate.backend}: ${firstLine(cause)}`)
    })
    if (!secp) continue
    selfTest(secp)
    return reasons.length === 0 ? { secp } : { secp, fallbackReason: reasons.join('; ') }
  }
  throw new CodedError('crypto/self-test', `no secp256k1 implementation (${reasons.join('; ')})`)
}

/**
 * libsecp256k1. `secp256k1/bindings` throws where no binary fits the platform; the package root would fall to a slow JavaScript curve
 * without a word.
 */
export function nativeSecp(): Secp {
  const binding: NativeBinding = createRequire(import.meta.url)('secp256k1/bindings')
  return {
    backend: 'native',
    recover: (digest, signature, id) =>
      recoverable(digest, signature, id)
        ? orUndefined(() => binding.ecdsaRecover(signature, id, digest, false))
        : undefined,
    sign(digest, privateKey) {
      const { signature, recid } = binding.ecdsaSign(digest, privateKey)
      return { signature, id: recid }
    },
    verify: (digest, signature, publicKey) =>
      orUndefined(() => binding.ecdsaVerify(signature, digest, publicKey)) ?? false,
    publicKey: privateKey => orUndefined(() => binding.publicKeyCreate(privateKey, false)),
    isPoint: bytes =>
      bytes.length === 33 && (orUndefined(() => binding.publicKeyVerify(bytes)) ?? false),
  }
}

async function wasmSecp(): Promise<Secp> {
  const tiny = await import('tiny-secp256k1')
  return {
    backend: 'wasm',
    recover(digest, signature, id) {
      if (!recoverable(digest, signature, id)) return undefined
      const recoveryId = id as 0 | 1 | 2 | 3
      return orUndefined(() => tiny.recover(digest, signature, recoveryId, false) ?? undefined)
    },
    sign(digest, privateKey) {
      const { signature, recoveryId } = tiny.signRecoverable(digest, privateKey)
      return { signature, id: recoveryId }
    },
    verify: (digest, signature, publicKey) =>
      orUndefined(() => tiny.verify(digest, publicKey, signature, true)) ?? false,
    publicKey: privateKey =>
      orUndefined(() => tiny.pointFromScalar(privateKey, false) ?? undefined),
    isPoint: bytes => bytes.length === 33 && (orUndefined(() => tiny.isPoint(bytes)) ?? false),
  }
}

export function nobleSecp(): Secp {
  return {
    backend: 'noble',
    recover(digest, signature, id) {
      if (!recoverable(digest, signature, id)) return undefined
      return orUndefined(() =>
        noble.Signature.fromBytes(signature, 'compact')
          .addRecoveryBit(id)
          .recoverPublicKey(digest)
          .toBytes(false),
      )
    },
    sign(digest, privateKey) {
      const signed = noble.sign(digest, privateKey, {
        prehash: false,
        lowS: true,
        format: 'recovered',
      })
      return { signature: signed.slice(1), id: signed[0] ?? 0 }
    },
    verify: (digest, signature, publicKey) =>
      orUndefined(() =>
        noble.verify(signature, digest, publicKey, { prehash: false, lowS: true }),
      ) ?? false,
    publicKey: privateKey => orUndefined(() => noble.getPublicKey(privateKey, false)),
    isPoint: bytes =>
      bytes.length === 33 && orUndefined(() => noble.Point.fromBytes(bytes)) !== undefined,
  }
}

/** The wasm traps on an id above 3 instead of throwing, and a trap leaves its memory in doubt: refused before the call. */
function recoverable(digest: Uint8Array, signature: Uint8Array, id: number): boolean {
  if (digest.length !== 32 || signature.length !== 64) {
    throw new RangeError(`expected 32 and 64 bytes, got ${digest.length} and ${signature.length}`)
  }
  return id === 0 || id === 1 || id === 2 || id === 3
}

/** All three throw plain errors on input they refuse. A trap is not a refusal. */
function orUndefined<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (error instanceof Error && error.name === 'RuntimeError') throw error
    return undefined
  }
}

const selfTestVector = {
  key: new Uint8Array(32).fill(1),
  digest: new Uint8Array(32).fill(2),
  signature:
    '0x97ef30233ead25d10f7bb2bf9eaf571a16f2deb33a75f20819284f0cb8ff3cc14870ca05940199c113b4dc77866f001702691cde269f6835581e7aea1ead2660',
  /** The same signature with s replaced by n - s; its id is 1. */
  highS:
    '0x97ef30233ead25d10f7bb2bf9eaf571a16f2deb33a75f20819284f0cb8ff3cc1b78f35fa6bfe663eec4b23887990ffe7b845c00888a9380667b3e3a2b1891ae1',
  publicKey:
    '0x041b84c5567b126440995d3ed5aaba0565d71e1834604819ff9c17f5e9d5dd078f70beaf8f588b541507fed6a642c5ab42dfdf8120a7f639de5122d47a69a8e8d1',
}

/** Throws `crypto/self-test` unless the known signature comes out, verifies and recovers. */
export function selfTest(secp: Secp): void {
  const { key, digest } = selfTestVector
  const signature = fromHex(selfTestVector.signature)
  const highS = fromHex(selfTestVector.highS)
  const signed = secp.sign(digest, key)
  const publicKey = secp.recover(digest, signature, 0)
  const right =
    toHex(signed.signature) === selfTestVector.signature &&
    signed.id === 0 &&
    publicKey !== undefined &&
    toHex(publicKey) === selfTestVector.publicKey &&
    toHex(secp.recover(digest, highS, 1) ?? new Uint8Array(0)) === selfTestVector.publicKey &&
    secp.recover(digest, new Uint8Array(64), 0) === undefined &&
    secp.verify(digest, signature, publicKey) &&
    !secp.verify(new Uint8Array(32).fill(3), signature, publicKey)
  if (!right) throw new CodedError('crypto/self-test', `secp256k1 ${secp.backend} answers wrongly`)
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
}
