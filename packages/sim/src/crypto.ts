import type { Address, Crypto, RecoveryJob, TowerCrypto } from '@rockpool/protocol'

/** Signers remembered by all nodes together. */
const SIGNERS_MAX = 262_144

/** Calls `act` in so many virtual milliseconds; a promise may settle in it. */
type Delay = (ms: number, act: () => void) => void

/**
 * The real hashes and signatures for a whole world. A signer follows from the signature alone, so what one node has recovered no other
 * recovers again: it only costs each of them virtual time.
 */
export function sharedRecovery(crypto: Crypto) {
  let signers = new Map<string, Promise<Address | undefined>>()

  function signerOf(job: RecoveryJob): Promise<Address | undefined> {
    const key = keyOf(job)
    const known = signers.get(key)
    if (known !== undefined) return known
    const found = crypto.recover([job]).then(([address]) => address)
    if (signers.size >= SIGNERS_MAX) signers = new Map()
    signers.set(key, found)
    return found
  }

  /** The port of one node: an answer takes 0.05 ms and 0.05 ms a signature. */
  function of(delay: Delay): Crypto {
    return {
      backend: crypto.backend,
      workers: 0,
      keccak256: crypto.keccak256,
      sha256: crypto.sha256,
      recover(batch) {
        const found = batch.map(signerOf)
        return new Promise((resolve, reject) => {
          delay(0.05 + 0.05 * batch.length, () => Promise.all(found).then(resolve, reject))
        })
      },
    }
  }

  /** For whoever stands outside the nodes: the same, and no time passes. */
  const outside: Crypto = {
    backend: crypto.backend,
    workers: 0,
    keccak256: crypto.keccak256,
    sha256: crypto.sha256,
    recover: batch => Promise.all(batch.map(signerOf)),
  }

  return { of, outside, remembered: () => signers.size }
}

/** The same ciphers; keys are recovered in virtual time. */
export function slowKeys(crypto: TowerCrypto, delay: Delay): TowerCrypto {
  return {
    ...crypto,
    recoverKeys(batch) {
      const found = crypto.recoverKeys(batch)
      return new Promise((resolve, reject) => {
        delay(0.05 + 0.05 * batch.length, () => void found.then(resolve, reject))
      })
    },
  }
}

const scratch = Buffer.alloc(97)

/** One flat string: a map must hash it. */
function keyOf({ digest, r, s, id }: RecoveryJob): string {
  scratch.set(digest, 0)
  scratch.set(r, 32)
  scratch.set(s, 64)
  scratch[96] = id
  return scratch.toString('latin1')
}
