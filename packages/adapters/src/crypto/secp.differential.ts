import { generateSignatures } from '@rockpool/protocol/conformance'
import { candidates, type Secp } from './secp.ts'

export interface Disagreement {
  readonly index: number
  readonly answers: readonly string[]
}

/** Asks all three implementations the same `count` questions and lists where they do not give the same bytes. */
export async function disagreements(count: number): Promise<readonly Disagreement[]> {
  const all = await Promise.all(candidates.map(candidate => candidate.load()))
  const [first] = all
  if (!first) return []
  return generateSignatures({ count, sign: first.sign }).flatMap(({ job, key }, index) => {
    const signature = Uint8Array.from([...job.r, ...job.s])
    const answers = all.map(secp => answerOf(secp, job.digest, signature, job.id, key))
    return new Set(answers).size === 1 ? [] : [{ index, answers }]
  })
}

function answerOf(
  secp: Secp,
  digest: Uint8Array,
  signature: Uint8Array,
  id: number,
  key: Uint8Array,
): string {
  const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex')
  const publicKey = secp.publicKey(key)
  const signed = secp.sign(digest, key)
  const verified = publicKey && secp.verify(digest, signature, publicKey)
  const recovered = secp.recover(digest, signature, id)
  return [hex(recovered), hex(publicKey), hex(signed.signature), signed.id, verified].join(' ')
}
