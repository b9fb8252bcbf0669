import { chainText, type TraceRow, toChromeTrace, toMermaid } from '@rockpool/actor'
import type { ActorsReport, LetterShown, LettersReport, TraceReport } from './actors-of.ts'
import { callNode } from './client.ts'
import { columns } from './columns.ts'
import { exit, Refusal } from './exit.ts'
import { effectiveSettings } from './settings.ts'

const actorsUsage = `rockpool actors ls
       rockpool actors trace <message id> [--mermaid|--chrome]
--json prints the answer as it is.`
const lettersUsage = `rockpool deadletters ls
       rockpool deadletters show <number>
--json prints the answer as it is.`

/** `rockpool actors …`: who of the running node has how much to do, and how a message came about. */
export async function actorsVerb(args: readonly string[]): Promise<number> {
  const { verb, word, switches, call, print } = parts(args, ['trace'], actorsUsage)
  switch (verb) {
    case 'ls':
      return print((await call('actors_list')) as ActorsReport, actorsScreen)
    case 'trace': {
      if (word === undefined)
        throw new Refusal(exit.usage, 'actors trace wants the id of a message')
      const { chain } = (await call('actors_trace', [word])) as TraceReport
      const text = switches.has('--mermaid')
        ? toMermaid
        : switches.has('--chrome')
          ? toChromeTrace
          : chainScreen
      return print({ chain }, answer => text(answer.chain))
    }
    default:
      throw new Refusal(exit.usage, `usage: ${actorsUsage}`)
  }
}

/** `rockpool deadletters …`: messages of the running node that nobody handled. */
export async function lettersVerb(args: readonly string[]): Promise<number> {
  const { verb, word, call, print } = parts(args, ['show'], lettersUsage)
  switch (verb) {
    case 'ls':
      return print((await call('deadletters_list')) as LettersReport, lettersScreen)
    case 'show':
      if (word === undefined)
        throw new Refusal(exit.usage, 'deadletters show wants a number; deadletters ls lists them')
      return print((await call('deadletters_show', [word])) as LetterShown, letterScreen)
    default:
      throw new Refusal(exit.usage, `usage: ${lettersUsage}`)
  }
}

const ownSwitches = ['--json', '--mermaid', '--chrome']

/** The verb, the one word some verbs take, our switches, and what goes to the configuration. */
function parts(args: readonly string[], withWord: readonly string[], usage: string) {
  const switches = new Set(args.filter(arg => ownSwitches.includes(arg)))
  const [verb, ...rest] = args.filter(arg => !switches.has(arg))
  const [first] = rest
  const takes = withWord.includes(verb ?? '') && first !== undefined && !first.startsWith('-')
  const flags = takes ? rest.slice(1) : rest
  const [strange] = flags
  if (strange !== undefined && !strange.startsWith('-'))
    throw new Refusal(exit.usage, `unexpected argument "${strange}"\n${usage}`)
  return {
    verb,
    word: takes ? first : undefined,
    switches,
    call: (method: string, params: readonly unknown[] = []) =>
      callNode(effectiveSettings(flags).paths, method, params),
    print<T>(answer: T, screen: (answer: T) => string): number {
      console.log(switches.has('--json') ? JSON.stringify(answer, null, 2) : screen(answer))
      return exit.done
    },
  }
}

function actorsScreen({ turns, queued, deadLetters, loopLagMs, actors }: ActorsReport): string {
  const table = columns([
    ['actor', 'alive', 'depth', 'high-water', 'oldest', 'handled', 'restarts', 'waits for'],
    ...actors.map(row => [
      ...[row.actor, `${row.count}`, depthText(row.depth), `${row.highWater}`],
      ...[`${row.oldestMs.toFixed(0)} ms`, `${row.handled}`, `${row.restarts}`, waitsText(row)],
    ]),
  ])
  return `${table}\n\n${turns} turns, ${queued} messages waiting, ${deadLetters} dead letters, loop lag ${loopLagMs.toFixed(1)} ms`
}

/** What waits in the mailbox; apart what goes first. */
function depthText({ system, urgent, user }: ActorsReport['actors'][number]['depth']): string {
  const before = system + urgent
  return before === 0 ? `${user}` : `${user}+${before}`
}

function waitsText({ asks, pipes, timers }: ActorsReport['actors'][number]): string {
  const words = [
    ...(asks > 0 ? [`${asks} asks`] : []),
    ...(pipes > 0 ? [`${pipes} pipes`] : []),
    ...(timers > 0 ? [`${timers} timers`] : []),
  ]
  return words.length === 0 ? '-' : words.join(', ')
}

/** One line for each hop, newest first, and the whole as one line to copy. */
function chainScreen(chain: readonly TraceRow[]): string {
  const newest = chain[0]?.at ?? 0
  const hops = chain.map(({ id, actor, type, at }) => [
    ...[`#${id}`, actor, type, `${(at - newest).toFixed(3)} ms`],
  ])
  return `${columns([['message', 'actor', 'type', 'when'], ...hops])}\n\n${chainText(chain)}`
}

const time = (ms: number): string => new Date(ms).toISOString()

function lettersScreen({ total, letters }: LettersReport): string {
  if (letters.length === 0) return 'none'
  const table = columns([
    ['number', 'at', 'reason', 'to', 'type', 'message'],
    ...letters.map(({ number, at, reason, to, type, id }) => [
      ...[`${number}`, time(at), reason, to, type, `#${id}`],
    ]),
  ])
  return total > letters.length ? `${table}\n\nthe last ${letters.length} of ${total}` : table
}

function letterScreen({ number, at, reason, to, type, id, message, chain }: LetterShown): string {
  return [
    `dead letter ${number}: ${type} #${id} to ${to}`,
    `${reason}: ${reasons[reason]}`,
    time(at),
    JSON.stringify(message),
    ...(chain.length === 0 ? [] : [chainText(chain)]),
  ].join('\n')
}

const reasons: Readonly<Record<LetterShown['reason'], string>> = {
  dead: 'the actor had stopped',
  full: 'its mailbox was full',
  oldest: 'it had waited longest when the mailbox was full',
  expired: 'its question was given up before its turn came',
  crashed: 'the actor threw while it handled it',
  shutdown: 'the node was stopping',
  'late-reply': 'an answer that came after the deadline of its question',
}
