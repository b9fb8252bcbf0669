import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { toHex } from '@rockpool/protocol'
import { callNode } from './client.ts'
import type { Paths } from './datadir.ts'
import { exit, Refusal } from './exit.ts'
import { effectiveSettings } from './settings.ts'
import { exportJournal, importJournal } from './txpool-journal.ts'
import {
  type InfoReport,
  infoScreen,
  lsRows,
  tableText,
  type WhyReport,
  whyScreen,
} from './txpool-screens.ts'

const usage = [
  'rockpool txpool status              how full the pool is, and how it is set up',
  '                ls [--from address] what is in it',
  '                show <hash>         one transaction and where it stands',
  '                why <hash|address>  why it is where it is, what happened, and what would change it',
  '                send <raw|file>     submit signed bytes; --private: they leave only in a block; --idempotent',
  '                drop <hash>         take one out, for good',
  '                untrack <hash>      follow an own one no longer',
  '                settip <wei>        least tip that is taken',
  '                watch               a line whenever the pool changes',
  "                journal export|import <file>   own transactions as geth's transactions.rlp",
  'A hash may be shortened to its first four or more digits. --json gives what the node answered.',
].join('\n')

interface Call {
  readonly paths: Paths
  readonly asJson: boolean
  readonly subject: string | undefined
  readonly rest: readonly string[]
}

/** `rockpool txpool …`: the running node's pool. */
export async function txpoolVerb(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args.includes('--help') || args.includes('-h')) {
    console.log(usage)
    return args.length === 0 ? exit.usage : exit.done
  }
  const asJson = args.includes('--json')
  const [verb = '', ...words] = args.filter(arg => arg !== '--json')
  const { own, flags } = ownFlags(words)
  const { paths } = effectiveSettings(flags)
  const [subject, ...rest] = own
  const call: Call = { paths, asJson, subject, rest }
  switch (verb) {
    case 'status':
      return status(call)
    case 'ls':
      return ls(call)
    case 'show':
      return show(call)
    case 'why':
      return why(call)
    case 'send':
      return send(call)
    case 'drop':
    case 'untrack':
      return take(call, verb)
    case 'settip':
      return setTip(call)
    case 'watch':
      return watch(call)
    case 'journal':
      return journal(call)
    default:
      throw new Refusal(exit.usage, `unknown command "txpool ${verb}"\n${usage}`)
  }
}

/** What the verb takes itself, and the configuration keys of the node it is about. */
function ownFlags(words: readonly string[]) {
  const own: string[] = []
  const flags: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    if (word === '--private' || word === '--idempotent') own.push(word)
    else if (word === '--from') own.push(word, words[++index] ?? '')
    else if (word.startsWith('--')) {
      flags.push(word)
      const next = words[index + 1]
      if (!word.includes('=') && next !== undefined && !next.startsWith('--'))
        flags.push(words[++index] ?? '')
    } else own.push(word)
  }
  return { own, flags }
}

function print<T>({ asJson }: Call, answer: T, screen: (answer: T) => string): number {
  console.log(asJson ? JSON.stringify(answer, null, 2) : screen(answer))
  return exit.done
}

function wanted({ subject }: Call, what: string): string {
  if (subject === undefined || subject.startsWith('--'))
    throw new Refusal(exit.usage, `txpool wants ${what}\n${usage}`)
  return subject
}

async function status(call: Call): Promise<number> {
  return print(call, (await callNode(call.paths, 'txpool_info')) as InfoReport, infoScreen)
}

async function ls(call: Call): Promise<number> {
  const words = call.subject === undefined ? [] : [call.subject, ...call.rest]
  const at = words.indexOf('--from')
  const from = at === -1 ? undefined : words[at + 1]
  if (from !== undefined && !/^0x[0-9a-f]{40}$/i.test(from))
    throw new Refusal(exit.usage, `--from wants an address, not "${from}"`)
  const answer =
    from === undefined
      ? await callNode(call.paths, 'txpool_content')
      : await callNode(call.paths, 'txpool_contentFrom', [from])
  return print(call, answer, content => tableText(lsRows(content, from), process.stdout.isTTY))
}

async function show(call: Call): Promise<number> {
  const report = await explained(call, wanted(call, 'a hash'))
  return print(call, report, ({ tx, place, state, hash, origin, tracked }) =>
    tableText(
      Object.entries({ hash, state, origin, tracked, ...tx, ...place }).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.map(plainQuantity).join(' ') || 'none' : plainQuantity(value),
      ]),
      true,
    ),
  )
}

const plainQuantity = (value: unknown): string =>
  typeof value === 'string' && /^0x[0-9a-f]{1,32}$/.test(value)
    ? BigInt(value).toString()
    : String(value)

async function why(call: Call): Promise<number> {
  return print(call, await explained(call, wanted(call, 'a hash or an address')), whyScreen)
}

/** Asks after a whole or shortened subject. What nobody knows is a refusal that says what is remembered. */
async function explained(call: Call, text: string): Promise<WhyReport> {
  const subject = await wholeSubject(call, text)
  const report = (await callNode(call.paths, 'txpool_explain', [subject])) as WhyReport
  if (report.state !== 'unknown') return report
  if (call.asJson) console.log(JSON.stringify(report, null, 2))
  throw new Refusal(exit.no, `nothing known about ${text} (${await bound(call)})`)
}

async function wholeSubject(call: Call, text: string): Promise<string> {
  if (/^0x([0-9a-f]{64}|[0-9a-f]{40})$/i.test(text)) return text
  if (!/^0x[0-9a-f]{4,63}$/i.test(text))
    throw new Refusal(exit.usage, `not a hash or an address: ${text}`)
  const found = (await callNode(call.paths, 'txpool_find', [text])) as string[]
  const [only] = found
  if (only === undefined)
    throw new Refusal(exit.no, `nothing known about ${text} (${await bound(call)})`)
  if (found.length > 1)
    throw new Refusal(
      exit.no,
      `${text} is ambiguous; it may be one of\n${found.map(hash => `  ${hash}`).join('\n')}`,
    )
  return only
}

async function bound({ paths }: Call): Promise<string> {
  const { stories } = (await callNode(paths, 'txpool_info')) as InfoReport
  const oldest =
    stories.oldestMs === undefined ? '' : `, oldest ${new Date(stories.oldestMs).toISOString()}`
  return `the pool remembers ${stories.bound} stories${oldest}`
}

async function send(call: Call): Promise<number> {
  const given = wanted(call, 'signed bytes or a file with them')
  const answer = await callNode(call.paths, 'txpool_sendRaw', [
    rawOf(given),
    { private: call.rest.includes('--private'), idempotent: call.rest.includes('--idempotent') },
  ])
  return print(call, answer as SendReport, ({ hash, state, reason, replaced }) =>
    [
      `${hash}  ${state}${reason === undefined ? '' : `: ${reason}`}`,
      ...(replaced === undefined ? [] : [`replaces ${replaced}`]),
    ].join('\n'),
  )
}

interface SendReport {
  readonly hash: string
  readonly state: string
  readonly reason?: string
  readonly replaced?: string
}

function rawOf(given: string): string {
  if (/^0x[0-9a-f]*$/i.test(given)) return given
  if (!existsSync(given))
    throw new Refusal(exit.usage, `neither signed bytes (0x…) nor a file: ${given}`)
  const bytes = readFileSync(given)
  const text = bytes.toString('latin1').trim()
  return /^0x[0-9a-f]+$/i.test(text) ? text : toHex(bytes)
}

async function take(call: Call, verb: 'drop' | 'untrack'): Promise<number> {
  const subject = await wholeSubject(call, wanted(call, 'a hash'))
  await callNode(call.paths, `txpool_${verb}`, [subject])
  return print(call, { hash: subject }, ({ hash }) =>
    verb === 'drop' ? `dropped ${hash}` : `${hash} is followed no longer`,
  )
}

async function setTip(call: Call): Promise<number> {
  const text = wanted(call, 'an amount of wei')
  if (!/^[0-9]+$/.test(text)) throw new Refusal(exit.usage, `not an amount of wei: ${text}`)
  await callNode(call.paths, 'txpool_setGasTip', [`0x${BigInt(text).toString(16)}`])
  return print(call, { tip: text }, ({ tip }) => `the least tip is ${tip} wei`)
}

/** One line at first and whenever something changed, until interrupted. */
async function watch(call: Call): Promise<number> {
  let last = ''
  for (;;) {
    const { stats, head } = (await callNode(call.paths, 'txpool_info')) as InfoReport
    const state = { head: head.number, ...stats }
    const text = JSON.stringify(state)
    if (text !== last) {
      const line = `head ${head.number}  pending ${stats.pending}  queued ${stats.queued}  slots ${stats.slots}`
      console.log(call.asJson ? text : `${new Date().toISOString()}  ${line}`)
    }
    last = text
    await pause(1_000)
  }
}

async function journal(call: Call): Promise<number> {
  const [file] = call.rest
  if (file === undefined || (call.subject !== 'export' && call.subject !== 'import'))
    throw new Refusal(exit.usage, `txpool journal wants export or import, and a file\n${usage}`)
  const answer =
    call.subject === 'export'
      ? await exportJournal(call.paths, file)
      : await importJournal(call.paths, file)
  console.log(call.asJson ? JSON.stringify(answer) : answer.text)
  return answer.stopped === undefined ? exit.done : exit.no
}
