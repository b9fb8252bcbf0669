import { parseArgs } from 'node:util'

export interface UpOptions {
  readonly name: string
  readonly nodes: number
  /** Block time as the user wrote it, for example `2s`. */
  readonly block: string
  /** First of the ports, when all are to be fixed. */
  readonly portBase: number | undefined
  /** Extra configuration flags handed to every node. */
  readonly nodeFlags: readonly string[]
  readonly keep: boolean
  /** Leave the network running in the background. */
  readonly detach: boolean
  /** This is that background process. */
  readonly daemon: boolean
}

/** A wrong command line: its sentence, exit code 2. */
export class UsageError extends Error {}

const nodesMax = 8

/** Options of `devnet up`; configuration flags of a node (`--txpool.globalslots 1000`) are handed through to every node. */
export function upOptions(argv: readonly string[]): UpOptions {
  const { own, nodeFlags } = split(argv)
  let parsed: {
    name?: string
    nodes?: string
    block?: string
    'port-base'?: string
    keep?: boolean
    detach?: boolean
    daemon?: boolean
  }
  try {
    parsed = parseArgs({
      args: own,
      options: {
        name: { type: 'string' },
        nodes: { type: 'string' },
        block: { type: 'string' },
        'port-base': { type: 'string' },
        keep: { type: 'boolean' },
        detach: { type: 'boolean' },
        daemon: { type: 'boolean' },
      },
    }).values
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
  const name = devnetName(parsed.name)
  const block = parsed.block ?? '2s'
  durationMs(block, '--block')
  return {
    name,
    block,
    nodes: whole('--nodes', parsed.nodes ?? '4', 1, nodesMax),
    portBase:
      parsed['port-base'] === undefined
        ? undefined
        : whole('--port-base', parsed['port-base'], 1_024, 65_000),
    nodeFlags,
    keep: parsed.keep ?? false,
    detach: parsed.detach ?? false,
    daemon: parsed.daemon ?? false,
  }
}

export function devnetName(name = 'default'): string {
  if (/^[a-z0-9][a-z0-9-]{0,30}$/.test(name)) return name
  throw new UsageError(`--name ${name}: use lower-case letters, digits and dashes`)
}

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** `250ms`, `2s`, `1.5m`, `1h`, or 0. */
export function durationMs(text: string, flag = ''): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  if (match !== null) return Math.round(Number(match[1]) * unitMs[match[2] as keyof typeof unitMs])
  if (text === '0') return 0
  throw new UsageError(`${flag} ${text}: not a duration; write for example 2s or 500ms`)
}

/** Flags with a dot in their name are configuration keys of the node. */
function split(argv: readonly string[]): { own: string[]; nodeFlags: string[] } {
  const own: string[] = []
  const nodeFlags: string[] = []
  let target = own
  for (const word of argv) {
    if (word.startsWith('--')) target = /^--[a-z0-9-]+\./.test(word) ? nodeFlags : own
    target.push(word)
    if (word.includes('=')) target = own
  }
  return { own, nodeFlags }
}

export function whole(flag: string, text: string, min: number, max: number): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= min && number <= max) return number
  throw new UsageError(`${flag} ${text}: a whole number from ${min} to ${max}`)
}
