import type { Address, DecodedTx, Hash, TxRecord, TxType } from '@rockpool/protocol'

/** What is kept of a transaction that is not here: enough to say what it was, and to judge whether it would be taken now. */
export type Gist = Pick<
  TxRecord,
  'hash' | 'nonce' | 'type' | 'feeCap' | 'tip' | 'gas' | 'cost' | 'slots'
> & { readonly sender?: TxRecord['sender']; readonly size: number }

/** The whole record while the pool holds it anyway. */
export type Told = TxRecord | DecodedTx | Gist

/** Numbers of one event: when, in whose turn, and what with its reason. */
export const cellsOfEvent = 3

/** What stays of a record: its bytes may be a hundred thousand times as many. */
export function gistOf(tx: Told): Gist {
  if (!('raw' in tx)) return tx
  const { hash, nonce, type, feeCap, tip, gas, cost, slots, raw } = tx
  const size = raw.length
  const known = 'sender' in tx ? { sender: tx.sender } : {}
  return { hash, ...known, nonce, type, feeCap, tip, gas, cost, slots, size }
}

/** Amounts are kept in this many bytes at most; what is wider was refused for that, and a text of a hundred kilobytes is no story. */
const amountBytesMax = 48
const amountMax = (1n << BigInt(8 * amountBytesMax)) - 1n
const exactMax = BigInt(Number.MAX_SAFE_INTEGER)
const addressBytes = 20

/** Large enough for a gist and as many events as are ever told. */
const scratch = Buffer.alloc(1_024)

/** A gist and its events as one text of bytes: objects and lists of their own would take three times the memory. */
export function packStory(tx: Told, cells: readonly number[]): string {
  const { sender = '0x', nonce, type, feeCap, tip, gas, cost, slots, size } = gistOf(tx)
  let at = 0
  scratch[at++] = (sender.length - 2) / 2
  at += scratch.write(sender.slice(2), at, 'hex')
  for (const amount of [nonce, feeCap, tip, gas, cost]) at = putAmount(amount, at)
  for (const number of [type, slots, size]) at = putNumber(number, at)
  for (const cell of cells) at = putNumber(cell, at)
  return scratch.toString('latin1', 0, at)
}

export interface Unpacked {
  readonly gist: Gist
  readonly cells: number[]
}

export function unpackStory(hash: Hash, text: string): Unpacked {
  const end = scratch.write(text, 0, 'latin1')
  const reader = new Reader()
  const sender = reader.address()
  const nonce = reader.amount()
  const feeCap = reader.amount()
  const tip = reader.amount()
  const gas = reader.amount()
  const cost = reader.amount()
  const type = reader.number() as TxType
  const slots = reader.number()
  const size = reader.number()
  const cells: number[] = []
  while (reader.at < end) cells.push(reader.number())
  const gist = { hash, nonce, type, feeCap, tip, gas, cost, slots, size }
  return { gist: sender === undefined ? gist : { ...gist, sender }, cells }
}

/** Seven bits a byte, the lowest first. Whole numbers from zero on; a clock that is not one counts as zero. */
function putNumber(value: number, from: number): number {
  let at = from
  let rest = value > 0 ? Math.trunc(value) : 0
  while (rest >= 128) {
    scratch[at++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  scratch[at++] = rest
  return at
}

/** A zero and a number where that is exact, else the count of its bytes and these. */
function putAmount(value: bigint, from: number): number {
  if (value <= exactMax) {
    scratch[from] = 0
    return putNumber(Number(value), from + 1)
  }
  const digits = (value > amountMax ? amountMax : value).toString(16)
  const length = (digits.length + 1) >> 1
  scratch[from] = length
  return from + 1 + scratch.write(digits.padStart(2 * length, '0'), from + 1, 'hex')
}

/** Reads what stands in the scratch. */
class Reader {
  at = 0

  number(): number {
    let value = 0
    let unit = 1
    for (;;) {
      const byte = scratch[this.at++] ?? 0
      value += (byte & 127) * unit
      if (byte < 128) return value
      unit *= 128
    }
  }

  amount(): bigint {
    const length = scratch[this.at++] ?? 0
    return length === 0 ? BigInt(this.number()) : BigInt(`0x${this.hex(length)}`)
  }

  address(): Address | undefined {
    const length = scratch[this.at++]
    return length === addressBytes ? (`0x${this.hex(length)}` as Address) : undefined
  }

  private hex(length: number): string {
    this.at += length
    return scratch.toString('hex', this.at - length, this.at)
  }
}
