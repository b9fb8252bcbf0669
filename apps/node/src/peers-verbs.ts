import { readFileSync } from 'node:fs'
import type { DryReport, ImportReport } from '@rockpool/protocol'
import * as v from 'valibot'
import { callNode } from './client.ts'
import { columns } from './columns.ts'
import { exit, Refusal } from './exit.ts'
import type { BanReport, PeerReport, PeersReport, WhyReport } from './peers-of.ts'
import { effectiveSettings } from './settings.ts'
import { duration } from './values.ts'

const usage = `rockpool peers ls [--all]
       rockpool peers show <id>
       rockpool peers why <id> [--since 1h]
       rockpool peers ban <id|ip|range> [--for 2h] [--reason text]
       rockpool peers unban <id|ip|range> [--forget]
       rockpool peers bans
       rockpool peers protect|unprotect <id>
       rockpool peers add <multiaddr> | remove <id>
       rockpool peers connect <multiaddr> | disconnect <id>
       rockpool peers export | import <file>
       rockpool peers gossip
       rockpool peers try [--ban.threshold -50] [--ban.duration 1h] [--since 7d]
An id may be shortened to its end, at least 6 characters. --json prints the answer as it is.`

/** `rockpool peers …`: whom the running node knows, what it holds against them, and who is kept out. */
export async function peersVerb(args: readonly string[]): Promise<number> {
  const { switches, values, words, flags } = sorted(args)
  const [verb, subject, ...more] = words
  if (more.length > 0) throw new Refusal(exit.usage, `unexpected argument "${more[0]}"\n${usage}`)
  const { paths } = effectiveSettings(flags)
  const call = (method: string, params: readonly unknown[] = []) => callNode(paths, method, params)
  const print = <T>(answer: T, screen: (answer: T) => string) => {
    console.log(switches.has('--json') ? JSON.stringify(answer, null, 2) : screen(answer))
    return exit.done
  }
  const named = (): string => {
    if (subject !== undefined) return subject
    throw new Refusal(exit.usage, `peers ${verb} wants ${verb === 'why' ? 'an id' : 'a subject'}`)
  }
  switch (verb) {
    case 'ls': {
      const all = switches.has('--all')
      return print((await call('peers_list')) as PeersReport, report => listScreen(report, all))
    }
    case 'why': {
      const since = values.get('--since')
      const params = since === undefined ? [named()] : [named(), durationMs('--since', since)]
      return print((await call('peers_why', params)) as WhyReport, whyScreen)
    }
    case 'ban': {
      const [time, reason] = [values.get('--for'), values.get('--reason')]
      const wish = {
        ...(time !== undefined && { seconds: durationMs('--for', time) / 1_000 }),
        ...(reason !== undefined && { reason }),
      }
      return print((await call('peers_ban', [named(), wish])) as BanReport, banScreen)
    }
    case 'unban': {
      const answer = await call('peers_unban', [named(), { forget: switches.has('--forget') }])
      return print(answer, () => `${named()} is let in again`)
    }
    case 'protect':
    case 'unprotect': {
      const answer = await call(`peers_${verb}`, [named()])
      return print(answer, () => `${named()} is ${verb}ed`)
    }
    case 'add':
    case 'remove':
    case 'connect':
    case 'disconnect': {
      const answer = await call(`peers_${verb}`, [named()])
      return print(answer, () => `${named()}: ${done[verb]}`)
    }
    case 'show':
      return print(await call('peers_show', [named()]), plainScreen)
    case 'gossip':
      return print(await call('peers_gossip'), plainScreen)
    case 'bans':
      return print((await call('peers_bans')) as readonly BanReport[], bansScreen)
    case 'export':
      return print(await call('peers_export'), plainScreen)
    case 'import': {
      const answer = await call('peers_import', [recordsIn(named())])
      return print(answer as ImportReport, importScreen)
    }
    case 'try': {
      const [threshold, time] = [values.get('--ban.threshold'), values.get('--ban.duration')]
      const since = values.get('--since')
      const rules = {
        ...(threshold !== undefined && { threshold: Number(threshold) }),
        ...(time !== undefined && { banMs: durationMs('--ban.duration', time) }),
      }
      const wish = since === undefined ? {} : { sinceMs: durationMs('--since', since) }
      return print((await call('peers_dryRun', [rules, wish])) as DryReport, tryScreen)
    }
    default:
      throw new Refusal(exit.usage, `usage: ${usage}`)
  }
}

const ownValues: ReadonlySet<string> = new Set([
  ...['--since', '--for', '--reason', '--ban.threshold', '--ban.duration'],
])
const done = {
  add: 'static until restart',
  remove: 'no longer static',
  connect: 'connected',
  disconnect: 'disconnected',
} as const

/** Bans of a file that `export` made. */
function recordsIn(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Refusal(exit.usage, `${file}: ${why}`)
  }
}

const plainScreen = (answer: unknown): string => JSON.stringify(answer, null, 2)

function importScreen({ added, skipped }: ImportReport): string {
  const lines = skipped.map(({ subject, why }) => `  ${subject}  ${why}`)
  return [`${added} taken in, ${skipped.length} left out`, ...lines].join('\n')
}

/** Who would have been banned under other rules, and who was. */
function tryScreen({ charges, fromMs, peers }: DryReport): string {
  const begin =
    fromMs === undefined ? 'nothing is recorded' : `${charges} charges since ${time(fromMs)}`
  if (peers.length === 0) return `${begin}: nobody would have been banned, and nobody was`
  const when = (instants: readonly number[]) => instants.map(time).join(', ') || '-'
  const rows = peers.map(({ peer, would, was, lowest }) => [
    ...[peer, points(lowest), when(would), when(was)],
  ])
  return `${begin}\n${columns([['id', 'lowest', 'would be banned', 'was banned'], ...rows])}`
}

/** Our own switches and values, the words before them, and what belongs to the configuration. */
function sorted(args: readonly string[]) {
  const switches = new Set<string>()
  const values = new Map<string, string>()
  const words: string[] = []
  const flags: string[] = []
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? ''
    if (['--all', '--json', '--forget'].includes(arg)) switches.add(arg)
    else if (ownValues.has(arg)) {
      const value = args[(index += 1)]
      if (value === undefined) throw new Refusal(exit.usage, `${arg}: a value is missing`)
      values.set(arg, value)
    } else if (arg.startsWith('--') || flags.length > 0) flags.push(arg)
    else words.push(arg)
  }
  return { switches, values, words, flags }
}

function durationMs(flag: string, text: string): number {
  const parsed = v.safeParse(duration, text)
  if (parsed.success && typeof parsed.output === 'number') return parsed.output
  const issue = parsed.success ? 'a duration' : parsed.issues[0].message
  throw new Refusal(exit.usage, `${flag}: ${issue}`)
}

const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}Z`
const points = (value: number): string => value.toFixed(1)

function listScreen({ peers, bans }: PeersReport, all: boolean): string {
  const shown = peers.filter(({ connected }) => all || connected)
  const table = columns([
    ['id', 'state', 'way', 'address', 'score', 'note'],
    ...shown.map(row => [
      ...[row.id, row.state, row.direction ?? '-', row.ip ?? '-'],
      ...[points(row.score.total), noteOf(row)],
    ]),
  ])
  const list = shown.length === 0 ? 'none' : table
  if (!all || bans.length === 0) return list
  return `${list}\n\n${bansScreen(bans)}`
}

function bansScreen(bans: readonly BanReport[]): string {
  if (bans.length === 0) return 'none'
  return columns([
    ['banned', 'until', 'reason', 'by'],
    ...bans.map(({ subject, until, reason, by }) => [
      ...[subject.value, until === null ? 'for good' : time(until), reason, by],
    ]),
  ])
}

function noteOf({ isStatic, isProtected, agent }: PeerReport): string {
  const words = [isStatic ? 'static' : '', isProtected ? 'protected' : '', agent ?? '']
  return words.filter(word => word !== '').join(' ')
}

/** The sentence, the score as a sum, the story, the ways out. */
function whyScreen({ subject, why, score, story, unblock }: WhyReport): string {
  const { total, debit, credit, gossip, threshold } = score
  return [
    `${subject}  total ${points(total)} (ban below ${points(threshold)})`,
    why,
    `  own     ${points(debit + credit)}   debit ${points(debit)}, credit ${points(credit)}`,
    `  gossip  ${points(gossip)}   half of the router's score, between -40 and 10`,
    ...story.map(({ at, event, reason, fields }) => {
      const { delta, detail, evidence } = fields
      const cost = typeof delta === 'number' ? `${points(delta)}  ` : ''
      const proof = evidence === undefined ? '' : `  msg ${String(evidence).slice(0, 16)}`
      const note = fields.suspended === true ? '  suspended' : ''
      return `    ${time(at)}  ${event}  ${cost}${reason} ${detail ?? ''}${proof}${note}`.trimEnd()
    }),
    ...unblock.map(({ do: act, until }) =>
      until === undefined ? `  ends    ${act}` : `  ends    by itself at ${time(until)}`,
    ),
  ].join('\n')
}

function banScreen({ subject, until }: BanReport): string {
  return `${subject.value} is banned ${until === null ? 'for good' : `until ${time(until)}`}`
}
