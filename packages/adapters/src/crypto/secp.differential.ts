import { generateSignatures } from '@rockpool/protocol/conformance'
import { candidates, type Secp } from './secp.ts'

export interface Disagreement {
  readonly index: number
  readonly answers: readonly string[]
}

/**
 * Asks all three implementations to recover the same `count` signatures, and every tenth time also to sign, verify and derive, and lists
 * where they do not give the same bytes.
 */
export async function disagreements(count: number): Promise<readonly Disagreement[]> {
  const all = await Promise.all(candidates.map(candidate => candidate.load()))
  const [first] = all
  if (!first) return []
  return generateSignatures({ count, sign: first.sign }).flatMap(({ job, key }, index) => {
    const signature = Uint8Array.from([...job.r, ...job.s])
    const answers = all.map(secp => {
      const recovered = hex(secp.recover(job.digest, signature, job.id))
      return index % 10 === 0
        ? `${recovered} ${others(secp, job.digest, signature, key)}`
        : recovered
    })
    return new Set(answers).size === 1 ? [] : [{ index, answers }]
  })
}

function others(secp: Secp, digest: Uint8Array, signature: Uint8Array, key: Uint8Array): string {
  const publicKey = secp.publicKey(key)
  const signed = secp.sign(digest, key)
  const verified = publicKey && secp.verify(digest, signature, publicKey)
  return [hex(publicKey), hex(signed.signature), signed.id, verified].join(' ')
}

function hex(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('hex')
}
