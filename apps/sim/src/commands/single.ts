import { readStored, seedOrFile, storeFailure, storeLog, storeTest } from '../files.ts'
import { hoursPerMinute, runJson, violationText } from '../report.ts'
import { type History, runHistory } from '../run-history.ts'
import { shrinkHistory } from '../shrinking.ts'
import { exitCodeOf } from '../swarm.ts'
import { timeMs, UsageError } from '../usage.ts'
import { eventText, runLogged, runToBreak, runTwice } from '../watch.ts'
import { type SwarmFlags, wishesOf } from './swarm.ts'

export type OneFlags = Pick<
  SwarmFlags,
  'seconds' | 'nodes' | 'chain' | 'tx' | 'planted' | 'json'
> & {
  readonly trace?: boolean
}

/** The history of a seed or file, with the bug of the flags if they name one. */
function historyOf(word: string, flags: OneFlags): History {
  const { options, plan, planted } = seedOrFile(word, wishesOf(flags))
  const bug = flags.planted ?? planted
  return { options, ...(plan && { plan }), ...(bug !== undefined && { planted: bug }) }
}

/** One run. */
export async function oneCommand(word: string, flags: OneFlags): Promise<number> {
  const history = historyOf(word, flags)
  const result = await runHistory(history, flags.trace === true ? { legend: printLine } : {})
  if (flags.json === true) console.log(JSON.stringify(runJson(result), null, 2))
  else {
    const { violation, hash, events, nodeHours, chain = [] } = result
    console.log(violation === undefined ? 'clean' : violationText(violation))
    for (const line of chain) console.log(`  ${line}`)
    const speed = `${hoursPerMinute(result).toFixed(0)} node-hours per CPU minute`
    console.log(`hash ${hash}, ${events} events, ${nodeHours.toFixed(2)} node-hours, ${speed}`)
  }
  return exitCodeOf([result])
}

/** Two runs of one history; 127 when they differ. */
export async function twiceCommand(word: string, flags: OneFlags): Promise<number> {
  const { first, second, difference } = await runTwice(historyOf(word, flags))
  if (flags.json === true) {
    console.log(JSON.stringify({ hashes: [first.hash, second.hash], difference }, null, 2))
  } else if (difference === undefined) {
    console.log(`equal: hash ${first.hash}, ${first.events} events`)
  } else {
    console.log(
      `hash ${first.hash}, then ${second.hash}; first different event ${difference.index}:`,
    )
    console.log(`  ${difference.first}\n  ${difference.second}`)
  }
  return difference === undefined && first.hash === second.hash ? 0 : 127
}

export interface ReplayFlags extends OneFlags {
  readonly until?: string
  readonly break?: string
}

/** A stored failure again, whole or up to a point, with its log beside the file. */
export async function replayCommand(file: string, flags: ReplayFlags): Promise<number> {
  const { violation: stored, hash: storedHash, ...rest } = readStored(file)
  const history = historyOf(file, { ...flags, ...(rest.planted && { planted: rest.planted }) })
  const untilMs = flags.until === undefined ? undefined : timeMs(flags.until, '--until')
  const watching = {
    ...(untilMs !== undefined && { untilMs }),
    ...(flags.trace === true && { legend: printLine }),
  }
  if (flags.break !== undefined) return replayToBreak(history, flags, watching)
  if (untilMs !== undefined || flags.trace === true) {
    const result = await runHistory(history, watching)
    if (flags.json === true) console.log(JSON.stringify(runJson(result), null, 2))
    else
      console.log(result.violation === undefined ? 'nothing yet' : violationText(result.violation))
    return exitCodeOf([result])
  }
  const { result, rows } = await runLogged(history)
  if (flags.json === true) console.log(JSON.stringify(runJson(result), null, 2))
  else {
    console.log(result.violation === undefined ? 'clean' : violationText(result.violation))
    for (const line of result.chain ?? []) console.log(`  ${line}`)
    if (stored !== undefined && result.violation?.id !== stored.id) {
      console.log(`stored was: ${violationText(stored)}`)
    }
    const changed = storedHash !== undefined && storedHash !== result.hash
    console.log(`hash ${result.hash}${changed ? `, stored was ${storedHash}` : ''}`)
    console.log(`log ${storeLog(file, rows)}`)
  }
  return exitCodeOf([result])
}

async function replayToBreak(
  history: History,
  { break: word = '', json = false }: ReplayFlags,
  watching: { untilMs?: number },
): Promise<number> {
  const split = word.lastIndexOf(':')
  if (split < 1)
    throw new UsageError(`--break takes path:type like /pool:chain.head, not "${word}"`)
  const at = { path: word.slice(0, split), type: word.slice(split + 1) }
  const { rows, found } = await runToBreak(history, at, watching)
  if (json) console.log(JSON.stringify({ found, events: rows }, null, 2))
  else for (const row of rows) console.log(eventText(row))
  if (!json && !found) console.log(`no ${at.type} to ${at.path}`)
  return found ? 0 : 2
}

/** The smallest history that fails like this one: its file, its log, its test. */
export async function shrinkCommand(word: string, flags: OneFlags): Promise<number> {
  const say = flags.json === true ? () => {} : printLine
  const shrunk = await shrinkHistory(historyOf(word, flags), say)
  if (shrunk === undefined) {
    console.log(`${word} is clean: nothing to shrink`)
    return 0
  }
  const { failure, runs } = shrunk
  const file = storeFailure(failure)
  const { rows } = await runLogged(failure)
  const written = { file, log: storeLog(file, rows), test: storeTest(failure), runs }
  if (flags.json === true) console.log(JSON.stringify(written, null, 2))
  else
    for (const [name, value] of Object.entries(written)) console.log(`${name.padEnd(5)} ${value}`)
  return 0
}

function printLine(line: string): void {
  console.log(line)
}
