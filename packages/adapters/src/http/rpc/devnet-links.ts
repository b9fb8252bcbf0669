import { type LinkFaults, type LinkRule, limits } from '@rockpool/protocol'
import { invalidParams, type Method, method } from '../method.ts'
import { valueOf } from '../parts.ts'
import { cannot, intoField, kindOf, optional, param, readRecord, text } from './params.ts'

const scope = 'devnet'

/** Slowing, stalling and cutting this node's links on a development network; offered only where the configuration says so. */
export function linkMethods(links: LinkFaults): Method[] {
  function setLink({ rule, reset }: Wish): readonly LinkRule[] {
    if (Object.keys(rule).length > 1) valueOf(links.set(rule))
    else if (!reset) links.clear(rule.to)
    if (reset) links.reset(rule.to)
    return links.list()
  }

  /** Cut off from exactly these; other faults of a link stay as they are. */
  function partition(peers: readonly string[]): readonly LinkRule[] {
    for (const { cut, ...rest } of links.list()) {
      if (cut !== true) continue
      if (Object.keys(rest).length > 1) valueOf(links.set(rest))
      else links.clear(rest.to)
    }
    for (const to of peers) {
      const { to: known = to, ...rest } = links.list().find(rule => rule.to === to) ?? {}
      valueOf(links.set({ to: known, ...rest, cut: true }))
    }
    return links.list()
  }

  return [
    method('devnet_setLink', [param('link', readWish)], ([wish]) => setLink(wish), { scope }),
    method('devnet_links', [], () => links.list(), { scope }),
    method('devnet_partition', [param('peers', readPeers)], ([peers]) => partition(peers), {
      scope,
    }),
    method(
      'devnet_heal',
      [optional(text('link'))],
      ([to]) => {
        links.clear(to)
        return links.list()
      },
      { scope },
    ),
  ]
}

interface Wish {
  readonly rule: LinkRule
  readonly reset: boolean
}

const fields = ['to', 'latencyMs', 'jitterMs', 'bytesPerSecond', 'stall', 'cut', 'reset']

function readWish(value: unknown): Wish {
  const record = readRecord(value, 'devnet.Link')
  const unknown = Object.keys(record).find(name => !fields.includes(name))
  if (unknown !== undefined)
    throw new Error(`unknown field ${JSON.stringify(unknown)}; known: ${fields.join(', ')}`)
  const { to } = record
  if (typeof to !== 'string') throw cannot(kindOf(to), intoField('Link', 'to', 'string'))
  const latencyMs = readWhole(record, 'latencyMs', 0, limits.linkDelayMaxMs)
  const jitterMs = readWhole(record, 'jitterMs', 0, limits.linkDelayMaxMs)
  const bytesPerSecond = readWhole(record, 'bytesPerSecond', 1, Number.MAX_SAFE_INTEGER)
  return {
    rule: {
      to,
      ...(latencyMs !== undefined && { latencyMs }),
      ...(jitterMs !== undefined && { jitterMs }),
      ...(bytesPerSecond !== undefined && { bytesPerSecond }),
      ...(readSwitch(record, 'stall') && { stall: true }),
      ...(readSwitch(record, 'cut') && { cut: true }),
    },
    reset: readSwitch(record, 'reset'),
  }
}

type Fields = Readonly<Record<string, unknown>>

function readWhole(from: Fields, name: string, min: number, max: number): number | undefined {
  const value = from[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max)
    return value
  throw new Error(`${name}: a whole number from ${min} to ${max}`)
}

function readSwitch(from: Fields, name: string): boolean {
  const value = from[name] ?? false
  if (typeof value === 'boolean') return value
  throw cannot(kindOf(value), intoField('Link', name, 'bool'))
}

function readPeers(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw cannot(kindOf(value), '[]string')
  const peers: readonly unknown[] = value
  if (peers.length > limits.linkRulesMax) throw new Error(`at most ${limits.linkRulesMax} peers`)
  return peers.map(peer => {
    if (typeof peer === 'string') return peer
    throw invalidParams('invalid argument 0: peers are named by peer ids or addresses')
  })
}
