import { type Address, addressOf, type RecoveryJob } from '@rockpool/protocol'
import { keccak256 } from './keccak.ts'
import type { Secp } from './secp.ts'

/** One job: digest 32, r 32, s 32, id 1. */
const jobBytes = 97
/** One answer: 1 when recovered, compressed key 33, address 20. */
const answerBytes = 54
/** Stands for every id that cannot be right, so that it fits its byte. */
const noId = 255

/** Jobs of fixed width in one buffer of their own, ready to be transferred to another thread. */
export function packJobs(jobs: readonly RecoveryJob[]): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(jobs.length * jobBytes)
  let at = 0
  for (const { digest, r, s, id } of jobs) {
    packed.set(digest, at)
    packed.set(r, at + 32)
    packed.set(s, at + 64)
    packed[at + 96] = id === 0 || id === 1 || id === 2 || id === 3 ? id : noId
    at += jobBytes
  }
  return packed
}

/** Recovers every job and hashes its key to an address: what a worker does for one batch. */
export function recoverPacked(secp: Secp, packed: Uint8Array): Uint8Array<ArrayBuffer> {
  const answers = new Uint8Array((packed.length / jobBytes) * answerBytes)
  let out = 0
  for (let at = 0; at < packed.length; at += jobBytes) {
    const digest = packed.subarray(at, at + 32)
    const signature = packed.subarray(at + 32, at + 96)
    const key = secp.recover(digest, signature, packed[at + 96] ?? noId)
    if (key) {
      answers[out] = 1
      answers.set(compressed(key), out + 1)
      answers.set(addressBytes(key), out + 34)
    }
    out += answerBytes
  }
  return answers
}

/** Whose signature it is: as an account, and as a compressed key. */
export interface Recovered {
  readonly address: Address
  readonly key: Uint8Array
}

export function unpackAnswers(answers: Uint8Array): (Recovered | undefined)[] {
  const out: (Recovered | undefined)[] = []
  for (let at = 0; at < answers.length; at += answerBytes) {
    out.push(
      answers[at] === 1
        ? {
            address: addressOf(answers.subarray(at + 34, at + answerBytes)),
            key: answers.slice(at + 1, at + 34),
          }
        : undefined,
    )
  }
  return out
}

/** 33 bytes of a 65-byte public key: the parity of y, and x. */
export function compressed(publicKey: Uint8Array): Uint8Array {
  const key = publicKey.slice(0, 33)
  key[0] = 2 + ((publicKey[64] ?? 0) & 1)
  return key
}

/** Last 20 bytes of the keccak of a 65-byte public key without its leading 4. */
export function addressBytes(publicKey: Uint8Array): Uint8Array {
  return keccak256(publicKey.subarray(1)).subarray(12)
}
