import type { AskError } from '@rockpool/actor'
import { type Code, type Details, errors, type Failure, type Hash } from '@rockpool/protocol'

/** JSON-RPC error codes; the numbers below -32000 are geth's. */
export const rpcCode = {
  parse: -32_700,
  request: -32_600,
  method: -32_601,
  params: -32_602,
  internal: -32_603,
  domain: -32_000,
  /** Of eth_sendRawTransactionSync alone: in the pool, not mined in time. */
  notMined: 4,
  timeout: -32_002,
  responseTooLarge: -32_003,
  limit: -32_005,
} as const

/** HTTP status of a call that was not in a batch, where it is not 200. */
export type RefusalStatus = 429 | 503

export interface ErrorData {
  readonly reason: Code
  readonly details: Details
}

/** What a caller gets instead of a result. Thrown inside the edge, written to the wire by the dispatcher. */
export class RpcError extends Error {
  readonly code: number
  readonly data: ErrorData | Hash | undefined
  readonly status: RefusalStatus | undefined

  constructor(code: number, message: string, data?: ErrorData | Hash, status?: RefusalStatus) {
    super(message)
    this.code = code
    this.data = data
    this.status = status
  }
}

/** A refusal of ours or of the domain: -32000 with geth's text and our code in `data`. */
export function refused(code: Code, message: string = errors[code].text, details: Details = {}) {
  return new RpcError(rpcCode.domain, message, { reason: code, details })
}

/** A refusal in geth's words for which the node has no code of its own. */
export function plain(message: string): RpcError {
  return new RpcError(rpcCode.domain, message)
}

const unready: ReadonlySet<string> = new Set<Code>([
  'actor/busy',
  'pool/closed',
  'pool/state-missing',
  'load/draining',
  'load/not-ready',
])

/** The error a coded failure of an actor becomes. What is busy or not ready is -32005 and, alone, HTTP 503. */
export function failureError({ code, message, details = {} }: Failure): RpcError {
  const data = { reason: code, details }
  if (unready.has(code)) return new RpcError(rpcCode.limit, message, data, 503)
  return new RpcError(rpcCode.domain, message, data)
}

/** The error of a question that got no answer. */
export function askError(error: AskError): RpcError {
  switch (error) {
    case 'full':
      return busy()
    case 'timeout':
      return new RpcError(rpcCode.timeout, errors['rpc/timeout'].text, {
        reason: 'rpc/timeout',
        details: {},
      })
    case 'dead':
      return draining()
    case 'crashed':
      return internal()
  }
}

export function busy(message = 'the node is busy, try again'): RpcError {
  return new RpcError(rpcCode.limit, message, { reason: 'actor/busy', details: {} }, 503)
}

export function draining(): RpcError {
  const { text } = errors['load/draining']
  return new RpcError(rpcCode.limit, text, { reason: 'load/draining', details: {} }, 503)
}

/** A bug of ours: the caller learns no more than that; the log has the rest. */
export function internal(): RpcError {
  const { text } = errors['load/internal']
  return new RpcError(rpcCode.internal, text, { reason: 'load/internal', details: {} })
}

/** Over a limit of the caller's own making. */
export function tooMany(message: string, status?: RefusalStatus): RpcError {
  const reason = status === 429 ? 'rpc/rate' : 'rpc/too-many'
  return new RpcError(rpcCode.limit, message, { reason, details: {} }, status)
}

/** The error object as JSON text. Quantities become hex. */
export function errorText({ code, message, data }: RpcError): string {
  const head = `{"code":${code},"message":${JSON.stringify(message)}`
  return data === undefined ? `${head}}` : `${head},"data":${JSON.stringify(data, hexBigint)}}`
}

function hexBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value
}
