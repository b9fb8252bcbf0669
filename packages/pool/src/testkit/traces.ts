import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import {
  addressOf,
  type Crypto,
  concatBytes,
  createRecovery,
  type Recovery,
} from '@rockpool/protocol'
import { createKeccak } from 'hash-wasm'
import { type OverlayLine, parseOverlay, parseTrace, type Trace } from '../trace/format.ts'
import type { TraceTools } from '../trace/prepare.ts'
import { SenderBook } from '../trace/senders.ts'

const root = fileURLToPath(new URL('../../../../vectors/pool/', import.meta.url))

/** What the manifest says of a file. */
export interface Listed {
  readonly file: string
  readonly family: string
  readonly exact: boolean
  readonly lines: number
  readonly sha256: string
  readonly quirks: readonly string[]
}

export function manifest(): readonly Listed[] {
  return (JSON.parse(readFileSync(`${root}MANIFEST.json`, 'utf8')) as { files: Listed[] }).files
}

export const sha256 = (text: string): string =>
  createHash('sha256').update(text, 'latin1').digest('hex')

export function textOf({ file, sha256: due }: Listed): string {
  const bytes = readFileSync(root + file)
  if (createHash('sha256').update(bytes).digest('hex') !== due)
    throw new Error(`${file} is altered`)
  return gunzipSync(bytes).toString('utf8')
}

export function traceOf(listed: Listed): Trace {
  const trace = parseTrace(textOf(listed), sha256)
  if (!trace.ok) throw new Error(`${listed.file}: ${trace.why}`)
  return trace.value
}

export function named(name: string): Trace {
  const listed = manifest().find(({ file }) => file === `${name}.jsonl.gz`)
  if (listed === undefined) throw new Error(`no trace ${name}`)
  return traceOf(listed)
}

export function overlayOfFile(file: string): ReadonlyMap<number, OverlayLine> | undefined {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(root + file.replace('.jsonl.gz', '.fixed.jsonl.gz'))
  } catch {
    return undefined
  }
  const overlay = parseOverlay(gunzipSync(bytes).toString('utf8'))
  if (!overlay.ok) throw new Error(`${file}: ${overlay.why}`)
  return overlay.value
}

/** Native recovery in this thread, with `senders` only of signatures that are not in the book beside the manifest. */
export async function traceTools(
  senders: 'recovered' | 'remembered' = 'recovered',
): Promise<TraceTools> {
  const native = createRequire(import.meta.url)('secp256k1/bindings') as typeof import('secp256k1')
  const hasher = await createKeccak(256)
  const keccak256 = (bytes: Uint8Array) => hasher.init().update(bytes).digest('binary')
  const crypto: Crypto = {
    backend: 'native',
    workers: 0,
    keccak256,
    sha256: bytes => new Uint8Array(createHash('sha256').update(bytes).digest()),
    recover: async jobs =>
      jobs.map(({ digest, r, s, id }) => {
        try {
          const key = native.ecdsaRecover(concatBytes(r, s), id, digest, false)
          return addressOf(keccak256(key.slice(1)).slice(12))
        } catch {
          return undefined
        }
      }),
  }
  const book = new SenderBook()
  if (senders === 'remembered') book.read(gunzipSync(readFileSync(`${root}SENDERS.bin.gz`)))
  const recoveries = new Map<bigint, Recovery>()
  return {
    keccak256,
    sha256,
    recovery(chainId) {
      const recovery =
        recoveries.get(chainId) ?? createRecovery(book.over(crypto), chainId, 100_000)
      recoveries.set(chainId, recovery)
      return recovery
    },
  }
}
