import * as v from 'valibot'
import { callNode } from './client.ts'
import { columns } from './columns.ts'
import { exit, Refusal } from './exit.ts'
import type { BanReport, PeerReport, PeersReport, WhyReport } from './peers-of.ts'
import { effectiveSettings } from './settings.ts'
import { duration } from './values.ts'

const usage = `rockpool peers ls [--all]
       rockpool peers why <id> [--since 1h]
       rockpool peers ban <id|ip|range> [--for 2h] [--reason text]
       rockpool peers unban <id|ip|range> [--forget]
       rockpool peers protect|unprotect <id>
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
    default:
      throw new Refusal(exit.usage, `usage: ${usage}`)
  }
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
    else if (['--since', '--for', '--reason'].includes(arg)) {
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
  const banned = columns([
    ['banned', 'until', 'reason', 'by'],
    ...bans.map(({ subject, until, reason, by }) => [
      ...[subject.value, until === null ? 'for good' : time(until), reason, by],
    ]),
  ])
  return `${list}\n\n${banned}`
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
      return `    ${time(at)}  ${event}  ${cost}${reason} ${detail ?? ''}${proof}`.trimEnd()
    }),
    ...unblock.map(({ do: act, until }) =>
      until === undefined ? `  ends    ${act}` : `  ends    by itself at ${time(until)}`,
    ),
  ].join('\n')
}

function banScreen({ subject, until }: BanReport): string {
  return `${subject.value} is banned ${until === null ? 'for good' : `until ${time(until)}`}`
}
