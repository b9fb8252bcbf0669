import { limits } from '@rockpool/protocol'

/** A JSON value with where it ended, so that a refusal can say where. */
export type Node =
  | { readonly kind: 'null'; readonly end: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly end: number }
  | { readonly kind: 'number'; readonly text: string; readonly end: number }
  | { readonly kind: 'string'; readonly value: string; readonly end: number }
  | { readonly kind: 'array'; readonly count: number; readonly end: number }
  | { readonly kind: 'object'; readonly fields: readonly Field[]; readonly end: number }

export interface Field {
  readonly name: string
  /** Behind the name. */
  readonly nameEnd: number
  readonly value: Node
}

/** What is no JSON, and where. Texts are those tower clients know from serde. */
export class JsonFault extends Error {
  readonly at: number

  constructor(text: string, at: number) {
    super(text)
    this.name = 'JsonFault'
    this.at = at
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const word = /true|false|null/y
const plain = /[ !#-[\]-\uffff]*/y
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/**
 * A body as it stands: fields that come twice stay two, numbers keep their digits. `JSON.parse` hides both. Depth and fields are bounded. Throws
 * `JsonFault`.
 */
export function readJson(bytes: Uint8Array): Node {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    throw new JsonFault('invalid unicode code point', bytes.length)
  }
  const reader = new Reader(text)
  reader.blank()
  if (reader.isOver) throw new JsonFault('EOF while parsing a value', 0)
  const value = reader.value(1)
  reader.blank()
  if (!reader.isOver) throw new JsonFault('trailing characters', reader.at + 1)
  return value
}

/** Line and column of a place, as serde counts: columns are bytes. */
export function placeText(bytes: Uint8Array, at: number): string {
  const before = bytes.subarray(0, at)
  const lineStart = before.lastIndexOf(10) + 1
  const line = before.filter(byte => byte === 10).length + 1
  return `line ${line} column ${at - lineStart}`
}

class Reader {
  private readonly text: string
  at = 0

  constructor(text: string) {
    this.text = text
  }

  get isOver(): boolean {
    return this.at >= this.text.length
  }

  blank(): void {
    while (' \t\n\r'.includes(this.text[this.at] ?? 'x')) this.at += 1
  }

  value(depth: number): Node {
    const first = this.text[this.at]
    if (first === undefined) throw new JsonFault('EOF while parsing a value', this.at)
    if (first === '{' || first === '[') {
      if (depth > limits.towerJsonDepthMax)
        throw new JsonFault('recursion limit exceeded', this.at + 1)
      return first === '{' ? this.object(depth) : this.array(depth)
    }
    if (first === '"') {
      const value = this.string()
      return { kind: 'string', value, end: this.at }
    }
    const digits = this.match(number)
    if (digits !== undefined && digits !== '') return { kind: 'number', text: digits, end: this.at }
    const literal = this.match(word)
    if (literal === 'null') return { kind: 'null', end: this.at }
    if (literal !== undefined) return { kind: 'boolean', value: literal === 'true', end: this.at }
    throw new JsonFault('expected value', this.at + 1)
  }

  private object(depth: number): Node {
    const fields: Field[] = []
    this.at += 1
    this.blank()
    if (this.take('}')) return { kind: 'object', fields, end: this.at }
    do {
      this.blank()
      if (this.text[this.at] !== '"') throw this.unexpected('key must be a string', 'an object')
      const name = this.string()
      const nameEnd = this.at
      this.blank()
      if (!this.take(':')) throw this.unexpected('expected `:`', 'an object')
      this.blank()
      fields.push({ name, nameEnd, value: this.value(depth + 1) })
      if (fields.length > limits.towerJsonFieldsMax) throw new JsonFault('too many fields', this.at)
      this.blank()
    } while (this.take(','))
    if (!this.take('}')) throw this.unexpected('expected `,` or `}`', 'an object')
    return { kind: 'object', fields, end: this.at }
  }

  private array(depth: number): Node {
    let count = 0
    this.at += 1
    this.blank()
    if (this.take(']')) return { kind: 'array', count, end: this.at }
    do {
      this.blank()
      this.value(depth + 1)
      count += 1
      if (count > limits.towerJsonFieldsMax) throw new JsonFault('too many elements', this.at)
      this.blank()
    } while (this.take(','))
    if (!this.take(']')) throw this.unexpected('expected `,` or `]`', 'a list')
    return { kind: 'array', count, end: this.at }
  }

  private string(): string {
    this.at += 1
    let value = ''
    for (;;) {
      value += this.match(plain) ?? ''
      const next = this.text[this.at]
      if (next === undefined) throw new JsonFault('EOF while parsing a string', this.at)
      this.at += 1
      if (next === '"') return value
      if (next !== '\\')
        throw new JsonFault(
          'control character (\\u0000-\\u001F) found while parsing a string',
          this.at,
        )
      value += this.escape()
    }
  }

  private escape(): string {
    const letter = this.text[this.at]
    this.at += 1
    if (letter !== 'u') {
      const meant = letter === undefined ? undefined : escapes[letter]
      if (meant === undefined) throw new JsonFault('invalid escape', this.at)
      return meant
    }
    const digits = this.text.slice(this.at, this.at + 4)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new JsonFault('invalid escape', this.at)
    this.at += 4
    return String.fromCharCode(Number.parseInt(digits, 16))
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  private take(letter: string): boolean {
    if (this.text[this.at] !== letter) return false
    this.at += 1
    return true
  }

  private unexpected(what: string, inside: string): JsonFault {
    if (this.isOver) return new JsonFault(`EOF while parsing ${inside}`, this.at)
    return new JsonFault(what, this.at + 1)
  }
}
