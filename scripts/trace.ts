/**
 * Recorded traces of a transaction pool against this one.
 *
 * - `replay <file or folder ...> [--compat geth|fixed] [--json]`: compares every answer. Exit code 0: all equal; 1: some differ; 2: bad usage
 *   or a file that is no trace.
 * - `shrink <file> [--compat geth|fixed] [--out file]`: the shortest trace with the same mismatch.
 * - `senders <folder>`: writes, beside its manifest, who made each signature; the tests need not recover what never changes.
 * - `overlay <file or folder ...>`: writes, beside each trace, what mode `fixed` answers otherwise; to be reviewed before it is kept.
 */
import { writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { createCrypto, type NodeCrypto } from '@rockpool/adapters/crypto'
import {
  addCoverage,
  coverageGaps,
  coverageGate,
  coverageLeast,
  type Difference,
  overlayOf,
  type PreparedTxs,
  prepareTrace,
  quirkOfRow,
  replayPrepared,
  SenderBook,
  shrinkTrace,
  type Trace,
  TraceFault,
  type TraceTools,
  traceText,
} from '@rockpool/pool/trace'
import { type Code, type Crypto, createRecovery, type Recovery } from '@rockpool/protocol'
import { findTraces, overlayPath, readTrace, sha256Of, type TraceFile } from './trace/files.ts'

const usage = `usage: npm run trace -- replay <file or folder ...> [--compat geth|fixed] [--json]
       npm run trace -- shrink <file> [--compat geth|fixed] [--out <file>]
       npm run trace -- overlay <file or folder ...>
       npm run trace -- senders <folder>`
const sendersFile = 'SENDERS.bin.gz'
/** What a trace may need that this runtime has. */
const supported: ReadonlySet<string> = new Set(['inpkg', 'clock', 'reserver'])
/** In a large pool everything is recounted after each so many operations. */
const checkEvery = 50

class Misuse extends Error {}

type Compat = 'geth' | 'fixed'

async function main(argv: readonly string[]): Promise<number> {
  const [verb, ...rest] = argv
  const { values, positionals } = parseArgs({
    args: rest,
    allowPositionals: true,
    options: { compat: { type: 'string' }, json: { type: 'boolean' }, out: { type: 'string' } },
  })
  const { compat = 'geth', json = false, out } = values
  if (compat !== 'geth' && compat !== 'fixed') throw new Misuse(`--compat ${compat}: geth or fixed`)
  if (positionals.length === 0) throw new Misuse('name a file or a folder')
  const crypto = await createCrypto()
  try {
    if (verb === 'senders') return await writeSenders(positionals, crypto)
    const tools = toolsOf(crypto)
    const files = positionals.flatMap(findTraces)
    if (verb === 'replay') return await replay(files, tools, { compat, json })
    if (verb === 'overlay') return await writeOverlays(files, tools)
    const [file] = files
    if (verb !== 'shrink' || file === undefined) throw new Misuse(`unknown verb ${verb}`)
    if (files.length > 1) throw new Misuse('shrink takes one file')
    return await shrink(file, tools, { compat, out })
  } finally {
    await crypto.close()
  }
}

function toolsOf(crypto: Crypto): TraceTools {
  const recoveries = new Map<bigint, Recovery>()
  return {
    keccak256: crypto.keccak256,
    sha256: sha256Of,
    recovery(chainId) {
      const recovery = recoveries.get(chainId) ?? createRecovery(crypto, chainId)
      recoveries.set(chainId, recovery)
      return recovery
    },
  }
}

async function replay(
  files: readonly TraceFile[],
  tools: TraceTools,
  { compat, json }: { compat: Compat; json: boolean },
): Promise<number> {
  const coverage = new Map<string, number>()
  const told: Record<string, unknown>[] = []
  const total = { traces: 0, operations: 0, equal: 0, different: 0, skipped: 0, bad: 0 }
  const say = (text: string) => json || console.log(text)
  let playMs = 0
  function tellBad({ path }: TraceFile, why: string): void {
    total.bad++
    total.different++
    told.push({ file: path, code: 'trace/malformed' satisfies Code, bad: why })
    console.error(`${path}: ${why} (trace/malformed)`)
  }
  for (const file of files) {
    total.traces++
    const read = readTrace(file)
    if (typeof read === 'string') {
      tellBad(file, read)
      continue
    }
    const { trace, overlay } = read
    const lacking = trace.header.needs.filter(need => !supported.has(need))
    if (lacking.length > 0) {
      total.skipped++
      told.push({ file: file.path, skipped: lacking })
      say(`${file.path}: skipped, needs ${lacking.join(', ')}`)
      continue
    }
    const txs = await prepareTrace(trace, tools)
    const started = performance.now()
    const result = replayed(trace, txs, tools, {
      compat,
      checkEvery,
      ...(compat === 'fixed' && overlay !== undefined && { overlay }),
    })
    playMs += performance.now() - started
    if (typeof result === 'string') {
      tellBad(file, result)
      continue
    }
    total.operations += result.operations
    if (trace.header.exact) addCoverage(coverage, result.coverage)
    const [difference] = result.differences
    if (difference === undefined) {
      total.equal++
      continue
    }
    total.different++
    const row = compat === 'fixed' ? rowOf(trace, txs, tools, { file, difference }) : undefined
    told.push({ file: file.path, ...difference, ...(row !== undefined && { row }) })
    say(
      `${file.path}: line ${difference.line} (${difference.kind})${row === undefined ? '' : `, ${row}`}`,
    )
    for (const what of difference.what.slice(0, 12)) say(`  ${what}`)
  }
  const gaps = coverageGaps(coverage)
  if (json)
    console.log(
      JSON.stringify({ ...total, compat, told, coverage: Object.fromEntries(coverage), gaps }),
    )
  const reached = coverageGate.length - gaps.length
  say(
    `coverage: ${reached} of ${coverageGate.length} rows reached ${coverageLeast} times by exact traces`,
  )
  for (const gap of files.length > 20 ? gaps : []) say(`  not: ${gap}`)
  say(
    `${Math.round((total.operations / playMs) * 1000)} operations a second with checks, without recovery`,
  )
  const { traces, operations, equal, different, skipped } = total
  say(
    `${traces} traces, ${operations} operations, ${equal} equal, ${different} different, ${skipped} skipped`,
  )
  return total.bad > 0 ? 2 : total.different > 0 ? 1 : 0
}

/** What replaying came to; a sentence where a line says what cannot be. */
function replayed(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  options: Parameters<typeof replayPrepared>[3],
): ReturnType<typeof replayPrepared> | string {
  try {
    return replayPrepared(trace, txs, tools, options)
  } catch (error) {
    if (error instanceof TraceFault) return error.message
    throw error
  }
}

/** The row of the table that explains the first line in which mode `fixed` differs, and whether the manifest names it. */
function rowOf(
  trace: Trace,
  txs: PreparedTxs,
  tools: TraceTools,
  { file, difference }: { file: TraceFile; difference: Difference },
): string {
  const lines = trace.lines.slice(0, difference.line)
  const table = [...new Set([...file.quirks, ...Object.keys(quirkOfRow)])]
  const [first] = overlayOf({ ...trace, lines }, txs, tools, table)
  const rows = first?.q.split(' ') ?? []
  const [row] = rows
  if (row === undefined || quirkOfRow[row] === undefined) return 'explained by no row of the table'
  const isNamed = rows.some(one => file.quirks.includes(one))
  return `explained by ${rows.join(' and ')}${isNamed ? ', as its manifest says' : ''}`
}

async function shrink(
  file: TraceFile,
  tools: TraceTools,
  { compat, out }: { compat: Compat; out: string | undefined },
): Promise<number> {
  const read = readTrace(file)
  if (typeof read === 'string') throw new Misuse(`${file.path}: ${read}`)
  const txs = await prepareTrace(read.trace, tools)
  const shrunk = shrinkTrace(read.trace, txs, tools, compat)
  if (shrunk === undefined) {
    console.log(`${file.path}: nothing differs in mode ${compat}`)
    return 0
  }
  const name = `${read.trace.header.name}-shrunk`
  const path = out ?? `${name}.jsonl`
  const { header, lines } = shrunk.trace
  writeFileSync(path, traceText({ header: { ...header, name }, lines }, sha256Of))
  console.log(`${path}: ${lines.length} of ${shrunk.linesBefore} lines left, the last one differs`)
  return 0
}

async function writeSenders(folders: readonly string[], crypto: NodeCrypto): Promise<number> {
  const [folder] = folders
  if (folder === undefined || folders.length > 1) throw new Misuse('senders takes one folder')
  const book = new SenderBook()
  const tools = toolsOf(book.over(crypto))
  for (const file of findTraces(folder)) {
    const read = readTrace(file)
    if (typeof read === 'string') throw new Misuse(`${file.path}: ${read}`)
    await prepareTrace(read.trace, tools)
  }
  writeFileSync(join(folder, sendersFile), gzipSync(book.write(), { level: 9 }))
  console.log(`${join(folder, sendersFile)}: ${book.size} signatures`)
  return 0
}

async function writeOverlays(files: readonly TraceFile[], tools: TraceTools): Promise<number> {
  for (const file of files) {
    const read = readTrace(file)
    if (typeof read === 'string') throw new Misuse(`${file.path}: ${read}`)
    const { trace } = read
    if (!trace.header.exact) continue
    // Those the manifest names for this trace come first; what follows from them may need others.
    const table = [...new Set([...file.quirks, ...Object.keys(quirkOfRow)])]
    const lines = overlayOf(trace, await prepareTrace(trace, tools), tools, table)
    if (lines.length === 0) continue
    const text = lines.map(line => `${JSON.stringify(line)}\n`).join('')
    writeFileSync(overlayPath(file.path), gzipSync(text, { level: 9 }))
    const rows = [...new Set(lines.map(({ q }) => q))].join(', ')
    console.log(
      `${basename(overlayPath(file.path))}: ${lines.length} lines, ${text.length} bytes of text, ${rows}`,
    )
  }
  return 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const isOurs = error instanceof Misuse || error instanceof Error
  console.error(isOurs ? error.message : String(error))
  if (error instanceof Misuse) console.error(usage)
  process.exitCode = 2
}
