import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { exit, Refusal } from './exit.ts'

/** Lines of a password file: the first is for the first account, and so on; the last one serves all that follow. */
export function passwordsIn(file: string): string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Refusal(exit.usage, `password-file: cannot read ${file}`, { cause })
  }
  const lines = text.split('\n').map(line => line.replace(/\r$/, ''))
  if (lines.length > 1 && lines.at(-1) === '') lines.pop()
  return lines
}

/** The password of the account at `index` among those asked for. */
export const passwordAt = (lines: readonly string[], index: number): string =>
  lines[Math.min(index, lines.length - 1)] ?? ''

/** From the file, the environment (`ROCKPOOL_PASSWORD`), or the terminal, where it is not shown and, if new, asked for twice. */
export async function askPassword(file: string | undefined, isNew: boolean): Promise<string> {
  if (file !== undefined) return passwordAt(passwordsIn(file), 0)
  const given = process.env.ROCKPOOL_PASSWORD
  if (given !== undefined) return given
  if (!process.stdin.isTTY)
    throw new Refusal(
      exit.usage,
      'no terminal to ask for a password; use --password-file FILE or ROCKPOOL_PASSWORD',
    )
  const password = await askHidden('Password: ')
  if (isNew && (await askHidden('Repeat password: ')) !== password)
    throw new Refusal(exit.no, 'the passwords differ; nothing was written')
  return password
}

async function askHidden(question: string): Promise<string> {
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
