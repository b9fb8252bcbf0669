import type { Crypto, RecoveryJob } from '../ports.ts'
import { addressOf, fromHex, toHex } from '../values/bytes.ts'
import { numbers, rejectionCode, type TestKit } from './kit.ts'

export interface CryptoUnderTest {
  readonly crypto: Crypto
  /** A low-s RFC 6979 signature of 64 bytes and its id, and the 65-byte public key of a private key: any correct library. */
  sign(digest: Uint8Array, privateKey: Uint8Array): { signature: Uint8Array; id: number }
  publicKey(privateKey: Uint8Array): Uint8Array
  close?(): Promise<void>
}

export const groupOrder = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const keccakVectors = [
  ['', 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470'],
  ['616263', '4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45'],
  ['00'.repeat(200), 'e1bb54e1bc3af48d01e5dbfc81015c98152a574f6428c6948aa4837c9c0baad9'],
] as const

const sha256Vectors = [
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['616263', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
] as const

/** The signature of 32 x 01 over 32 x 02, and whose it is. */
const known = {
  digest: new Uint8Array(32).fill(2),
  r: fromHex('97ef30233ead25d10f7bb2bf9eaf571a16f2deb33a75f20819284f0cb8ff3cc1'),
  s: fromHex('4870ca05940199c113b4dc77866f001702691cde269f6835581e7aea1ead2660'),
  id: 0,
} satisfies RecoveryJob
const knownAddress = '0x1a642f0e3c3af545e7acbd38b07251b3990914f1'

/** What every `Crypto` answers, whichever library is behind it. `count` signatures are generated and mutated. */
export function cryptoSuite(
  { test, expect }: TestKit,
  make: () => Promise<CryptoUnderTest>,
  count = 500,
): void {
  async function using(run: (under: CryptoUnderTest) => Promise<void>): Promise<void> {
    const under = await make()
    await run(under)
    await under.close?.()
  }

  test('keccak256 and sha256 give the published values, in arrays of their own', () =>
    using(async ({ crypto }) => {
      for (const [input, hash] of keccakVectors) {
        expect(toHex(crypto.keccak256(fromHex(input)))).toBe(`0x${hash}`)
      }
      for (const [input, hash] of sha256Vectors) {
        expect(toHex(crypto.sha256(fromHex(input)))).toBe(`0x${hash}`)
      }
      const first = crypto.keccak256(fromHex('616263'))
      crypto.keccak256(fromHex('00'))
      expect(toHex(first)).toBe(`0x${keccakVectors[1][1]}`)
    }))

  test('the known signature recovers to its account, and so does its high-s twin', () =>
    using(async ({ crypto }) => {
      const twin = { ...known, s: word(groupOrder - BigInt(toHex(known.s))), id: 1 }
      expect(await crypto.recover([known, twin])).toEqual([knownAddress, knownAddress])
    }))

  test('out of range r, s and ids are undefined, and only they', () =>
    using(async ({ crypto }) => {
      const jobs: RecoveryJob[] = [
        { ...known, r: word(0n) },
        { ...known, s: word(0n) },
        { ...known, r: word(groupOrder) },
        { ...known, s: word(groupOrder) },
        { ...known, r: word(2n ** 256n - 1n) },
        { ...known, id: 2 },
        { ...known, id: 3 },
        { ...known, id: 4 },
        { ...known, id: 255 },
        { ...known, id: 256 },
        { ...known, id: -1 },
        { ...known, id: 0.5 },
      ]
      const answers = await crypto.recover([known, ...jobs, known])
      expect(answers).toEqual([knownAddress, ...jobs.map(() => undefined), knownAddress])
    }))

  test('no jobs give no answers', () =>
    using(async ({ crypto }) => expect(await crypto.recover([])).toEqual([])))

  test('a job of another width is a bug, not an answer', () =>
    using(async ({ crypto }) => {
      const short = { ...known, digest: new Uint8Array(31) }
      const outcome = await rejectionCode(Promise.resolve().then(() => crypto.recover([short])))
      expect(outcome).toBe('no code')
    }))

  test(`${count} signatures recover to their signer, in order, between mutated ones that never do`, () =>
    using(async ({ crypto, sign, publicKey }) => {
      const generated = generateSignatures({ count, sign })
      const answers = await crypto.recover(generated.map(entry => entry.job))
      expect(answers.length).toBe(count)
      const wrong = generated.filter(({ key, mutated }, index) => {
        const { keccak256 } = crypto
        const signer = addressOf(keccak256(publicKey(key).slice(1)).slice(12))
        return (answers[index] === signer) === mutated
      })
      expect(wrong.length).toBe(0)
    }))
}

export interface GeneratedSignature {
  readonly job: RecoveryJob
  readonly key: Uint8Array
  /** One part was changed after signing: whoever comes out, it is not the signer. */
  readonly mutated: boolean
}

/** Signatures over random digests by 16 keys; every second one has one part changed. The same for the same count. */
export function generateSignatures(options: {
  readonly count: number
  readonly sign: CryptoUnderTest['sign']
}): readonly GeneratedSignature[] {
  const below = numbers(options.count)
  const random = () => Uint8Array.from({ length: 32 }, () => below(256))
  const keys = Array.from({ length: 16 }, (_, index) => random().fill(index + 1, 0, 1))
  return Array.from({ length: options.count }, (_, index) => {
    const key = keys[below(keys.length)] ?? random()
    const digest = random()
    const { signature, id } = options.sign(digest, key)
    const job = { digest, r: signature.slice(0, 32), s: signature.slice(32), id }
    const mutated = index % 2 === 1
    return { job: mutated ? mutate(job, below) : job, key, mutated }
  })
}

function mutate(job: RecoveryJob, below: (below: number) => number): RecoveryJob {
  const flipped = (bytes: Uint8Array) => {
    const copy = bytes.slice()
    const at = below(32)
    copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
    return copy
  }
  switch (below(5)) {
    case 0:
      return { ...job, digest: flipped(job.digest) }
    case 1:
      return { ...job, r: flipped(job.r) }
    case 2:
      return { ...job, s: flipped(job.s) }
    case 3:
      return { ...job, id: job.id ^ 1 }
    default:
      return { ...job, id: 2 + below(4) }
  }
}

/** A quantity as 32 bytes. */
function word(value: bigint): Uint8Array {
  return fromHex(value.toString(16).padStart(64, '0'))
}
