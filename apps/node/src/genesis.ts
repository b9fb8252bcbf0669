import { readFileSync } from 'node:fs'
import { devGenesis, type Genesis, parseGenesis } from '@rockpool/chain'
import type { Address } from '@rockpool/protocol'
import { parse } from 'smol-toml'
import type { Reader } from './config.ts'
import { exit, Refusal } from './exit.ts'

/** The genesis file, or the built-in preset in which this node is the only producer. */
export function genesisOf(read: Reader, producer: Address): Genesis {
  if (!read.has('chain.genesis'))
    return devGenesis({
      producers: [producer],
      ...(read.has('chain.block-time') && { blockTimeMs: read.number('chain.block-time') }),
    })
  const file = read.text('chain.genesis')
  if (read.has('chain.block-time'))
    throw new Refusal(
      exit.usage,
      `chain.block-time: the genesis file ${file} decides it; change it there`,
    )
  const answer = parseGenesis(readTable(file))
  if (!answer.ok) throw new Refusal(exit.usage, `${file}: ${answer.message}`)
  return answer.value
}

function readTable(file: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Refusal(exit.usage, `chain.genesis: cannot read ${file}`, { cause })
  }
  try {
    return file.endsWith('.toml') ? parse(text) : JSON.parse(text)
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
    throw new Refusal(exit.usage, `${file}: ${why}`, { cause })
  }
}
