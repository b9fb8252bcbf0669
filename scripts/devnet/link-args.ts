import { parseArgs } from 'node:util'
import { durationMs, UsageError } from './args.ts'

/** `devnet link n0 n1 --latency 100ms`: what is done to the bytes from one node to the other, and back unless it is one way. */
export interface LinkWish {
  readonly from: string
  readonly to: string
  readonly oneWay: boolean
  readonly fault: {
    readonly latencyMs?: number
    readonly jitterMs?: number
    readonly bytesPerSecond?: number
    readonly stall?: true
    readonly cut?: true
    readonly reset?: true
  }
}

export function linkWish(argv: readonly string[]): LinkWish {
  const { values, positionals } = parsed(argv)
  const [from, to, ...more] = positionals
  if (from === undefined || to === undefined || more.length > 0)
    throw new UsageError('link needs two nodes, for example: link n0 n1 --latency 100ms')
  if (from === to) throw new UsageError(`link ${from} ${to}: a node has no link to itself`)
  const { latency, jitter, bandwidth } = values
  return {
    from,
    to,
    oneWay: values['one-way'] === true,
    fault: {
      ...(latency !== undefined && { latencyMs: durationMs(latency, '--latency') }),
      ...(jitter !== undefined && { jitterMs: durationMs(jitter, '--jitter') }),
      ...(bandwidth !== undefined && { bytesPerSecond: sizeBytes(bandwidth, '--bandwidth') }),
      ...(values.stall === true && { stall: true }),
      ...(values.cut === true && { cut: true }),
      ...(values.reset === true && { reset: true }),
    },
  }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        latency: { type: 'string' },
        jitter: { type: 'string' },
        bandwidth: { type: 'string' },
        stall: { type: 'boolean' },
        cut: { type: 'boolean' },
        reset: { type: 'boolean' },
        'one-way': { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const unitBytes = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }

/** `1MiB`, `500kB`, `2MiB/s`. */
function sizeBytes(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|KiB|MiB|GiB)(?:\/s)?$/.exec(text)
  const bytes =
    match === null
      ? 0
      : Math.round(Number(match[1]) * unitBytes[match[2] as keyof typeof unitBytes])
  if (bytes > 0) return bytes
  throw new UsageError(`${flag} ${text}: not a size; write for example 1MiB or 500kB`)
}

/** `n0,n1|n2,n3`: every node in one part; or a share between 0 and 1 of all nodes, counted from n0. */
export function partsOf(spec: string | undefined, names: readonly string[]): string[][] {
  const help = 'write for example "n0,n1|n2,n3", or a share like 0.5'
  if (spec === undefined) throw new UsageError(`partition needs its parts: ${help}`)
  const share = Number(spec)
  if (Number.isFinite(share)) {
    if (share <= 0 || share >= 1) throw new UsageError(`partition ${spec}: ${help}`)
    const count = Math.min(names.length - 1, Math.max(1, Math.round(share * names.length)))
    return [names.slice(0, count), names.slice(count)]
  }
  const parts = spec.split('|').map(part =>
    part
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== ''),
  )
  const named = parts.flat()
  const unknown = named.find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new UsageError(`partition: no node "${unknown}"; there are ${names.join(', ')}`)
  const missing = names.find(name => !named.includes(name))
  if (missing !== undefined) throw new UsageError(`partition: ${missing} is in no part; ${help}`)
  if (new Set(named).size < named.length)
    throw new UsageError(`partition ${spec}: a node is in two parts`)
  const full = parts.filter(part => part.length > 0)
  if (full.length < 2) throw new UsageError(`partition ${spec}: one part is no partition; ${help}`)
  return full
}

/** Ether as decimal text in wei. */
export function weiOf(text: string): bigint {
  const match = /^(\d{1,12})(?:\.(\d{1,18}))?$/.exec(text)
  if (match === null) throw new UsageError(`${text}: not an amount of ether; write for example 1.5`)
  return BigInt(match[1] ?? '0') * 10n ** 18n + BigInt((match[2] ?? '').padEnd(18, '0'))
}
