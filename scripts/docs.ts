/**
 * Writes the pages and tables that follow from the code: error codes, limits, configuration keys. `--check` writes nothing and fails when one
 * of them is stale.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errors } from '@rockpool/protocol'
import { environmentName, settings } from 'rockpool/schema'

const root = fileURLToPath(new URL('..', import.meta.url))
const made = '<!-- Written by scripts/docs.ts from the code; edit there. -->'

const row = (...cells: readonly string[]): string =>
  `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`

function errorsPage(): string {
  const rows = Object.entries(errors).map(([code, { fault, text, remedy }]) =>
    row(`\`${code}\``, fault, text, remedy),
  )
  return `${made}

# Errors

Every code a user, a peer or another program can meet: \`room/reason\`, never renamed once shipped. Fault says whose it is: \`peer\` (provably the
sender's), \`user\` (the caller's), \`self\` (this node's, at the moment), \`none\` (an ordinary outcome). JSON-RPC carries the reason in
\`error.data.reason\`.

| code | fault | meaning | what to do |
|---|---|---|---|
${rows.join('\n')}
`
}

/** The comment above each limit is its sentence; grouped limits share one. */
function limitsPage(): string {
  const source = readFileSync(`${root}packages/protocol/src/limits.ts`, 'utf8')
  const rows: string[] = []
  let sentence = ''
  for (const line of source.split('\n')) {
    const comment = /^\s*\/\*\* (.*?) ?\*\/$/.exec(line)?.[1]
    if (comment !== undefined) sentence = comment
    const [, name, value] = /^ {2}(\w+): (.+?),?$/.exec(line) ?? []
    if (name !== undefined && value !== undefined && value !== '{')
      rows.push(row(`\`${name}\``, value.replaceAll('_', ','), sentence))
  }
  return `${made}

# Limits

Every queue, map, loop and payload has one. Bytes, milliseconds and counts as the names say.

| limit | value | meaning |
|---|---|---|
${rows.join('\n')}
`
}

function configTable(): string {
  const shown = (value: unknown): string =>
    typeof value === 'bigint' ? `${value} wei` : JSON.stringify(value)
  const rows = settings.map(({ key, default: standard, sentence }) =>
    row(`\`${key}\``, standard === undefined ? '-' : `\`${shown(standard)}\``, sentence),
  )
  return `Durations in ms, sizes in bytes where a default shows a bare number. In the environment \`rpc.port\` is \`${environmentName('rpc.port')}\`.

| key | default | meaning |
|---|---|---|
${rows.join('\n')}`
}

/** The part of a hand-written page between its two markers. */
function withTable(page: string, name: string, table: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to === -1) throw new Error(`no markers for ${name}`)
  return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`
}

const operator = readFileSync(`${root}docs/operator.md`, 'utf8')
const pages: readonly (readonly [file: string, text: string])[] = [
  ['docs/errors.md', errorsPage()],
  ['docs/limits.md', limitsPage()],
  ['docs/operator.md', withTable(operator, 'configuration', configTable())],
]

const check = process.argv.includes('--check')
for (const [file, text] of pages) {
  if (!check) writeFileSync(root + file, text)
  else if (readFileSync(root + file, 'utf8') !== text) {
    console.error(`${file} is stale: npm run docs`)
    process.exitCode = 1
  }
}
