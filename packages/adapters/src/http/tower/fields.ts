import { fromHex } from '@rockpool/protocol'
import { type Field, JsonFault, type Node, placeText, readJson } from './json.ts'

/** Numbers that clients decode as a byte; their meaning is part of the protocol. */
export const errorCodes = {
  missingField: 1,
  emptyField: 2,
  wrongType: 3,
  wrongSize: 4,
  wrongFormat: 5,
  badRequest: 6,
  notNow: 7,
  blobTooSmall: 33,
  blobTooBig: 34,
  triggered: 35,
  notFound: 36,
  registration: 65,
  unexpected: 255,
} as const
export type ErrorCode = (typeof errorCodes)[keyof typeof errorCodes]

/** What a client is told is wrong with what he sent. */
export class BadRequest extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, text: string) {
    super(text)
    this.name = 'BadRequest'
    this.code = code
  }
}

interface Struct {
  readonly name: string
  readonly elements: number
}

/** Reads the body of one request. Throws `BadRequest`. */
export function bodyReader(bytes: Uint8Array, struct: Struct) {
  const refuse = (code: ErrorCode, text: string, at: number) =>
    new BadRequest(code, `${text} at ${placeText(bytes, at)}`)

  function root(): Node {
    try {
      return readJson(bytes)
    } catch (error) {
      if (!(error instanceof JsonFault)) throw error
      throw refuse(errorCodes.badRequest, error.message, error.at)
    }
  }

  return createFields(root(), struct, refuse)
}

type Fields = ReturnType<typeof createFields>
type Refuse = (code: ErrorCode, text: string, at: number) => BadRequest

function createFields(node: Node, { name, elements }: Struct, refuse: Refuse) {
  if (node.kind === 'array' && node.count === 0) {
    const wanted = `expected struct ${name} with ${elements} element${elements === 1 ? '' : 's'}`
    throw refuse(errorCodes.badRequest, `invalid length 0, ${wanted}`, node.end)
  }
  if (node.kind !== 'object') throw wrongType(node, `struct ${name}`)
  const byName = new Map<string, Field>()
  for (const field of node.fields) {
    if (byName.has(field.name) && isKnown(field.name))
      throw refuse(errorCodes.badRequest, `duplicate field \`${field.name}\``, field.nameEnd)
    byName.set(field.name, field)
  }

  function wrongType(found: Node, expected: string): BadRequest {
    return refuse(
      errorCodes.wrongType,
      `invalid type: ${shown(found)}, expected ${expected}`,
      found.end,
    )
  }

  function need(field: string): Node {
    const found = byName.get(field)?.value
    if (found === undefined)
      throw new BadRequest(errorCodes.missingField, `missing field \`${field}\``)
    return found
  }

  /** Bytes as hexadecimal digits in any case. */
  function hex(field: string): Uint8Array {
    const found = need(field)
    if (found.kind !== 'string') throw wrongType(found, 'a hex encoded string')
    const { value } = found
    if (value.length % 2 !== 0)
      throw refuse(errorCodes.wrongFormat, 'Odd number of digits', found.end)
    const at = value.search(/[^0-9a-fA-F]/)
    if (at !== -1) {
      const letter = String.fromCodePoint(value.codePointAt(at) ?? 0)
      throw refuse(
        errorCodes.wrongFormat,
        `Invalid character '${letter}' at position ${at}`,
        found.end,
      )
    }
    return fromHex(`0x${value}`)
  }

  function text(field: string): string {
    const found = need(field)
    if (found.kind !== 'string') throw wrongType(found, 'a string')
    return found.value
  }

  function u32(field: string): number {
    const found = need(field)
    if (found.kind !== 'number') throw wrongType(found, 'u32')
    if (/[.eE]/.test(found.text)) throw wrongType(found, 'u32')
    const value = Number(found.text)
    if (!Number.isSafeInteger(value) || value < 0 || value > 0xffff_ffff || found.text === '-0')
      throw refuse(
        errorCodes.badRequest,
        `invalid value: integer \`${found.text}\`, expected u32`,
        found.end,
      )
    return value
  }

  /** Another struct inside; undefined when it is absent or null. */
  function inner(field: string, struct: Struct): Fields | undefined {
    const found = byName.get(field)?.value
    if (found === undefined || found.kind === 'null') return undefined
    return createFields(found, struct, refuse)
  }

  return { hex, text, u32, inner }
}

const known = new Set([
  ...['user_id', 'appointment', 'signature', 'locator', 'encrypted_blob', 'to_self_delay'],
  'until',
])
const isKnown = (name: string) => known.has(name)

function shown(node: Node): string {
  switch (node.kind) {
    case 'null':
      return 'null'
    case 'boolean':
      return `boolean \`${node.value}\``
    case 'number':
      return /[.eE]/.test(node.text)
        ? `floating point \`${floating(node.text)}\``
        : `integer \`${node.text}\``
    case 'string':
      return `string ${JSON.stringify(node.value.slice(0, 200))}`
    case 'array':
      return 'sequence'
    case 'object':
      return 'map'
  }
}

/** `42.0`, not `42`: a whole number says that it was none. */
function floating(text: string): string {
  const value = String(Number(text))
  return /^-?\d+$/.test(value) ? `${value}.0` : value
}
