import { errors, limits } from '@rockpool/protocol'
import { JsonStream } from './json-stream.ts'
import type { Caller, Method } from './method.ts'
import {
  draining,
  errorText,
  internal,
  type RefusalStatus,
  RpcError,
  rpcCode,
  tooMany,
} from './rpc-error.ts'
import type { RpcMeter } from './rpc-meter.ts'

/** What goes back to the caller. Without a body nothing was asked (notifications only). */
export interface Answer {
  readonly status: 200 | RefusalStatus
  readonly body?: string | JsonStream
}

export interface DispatcherOptions {
  readonly methods: readonly Method[]
  readonly meter: RpcMeter
  /** True while the node stops: nothing is asked any more. */
  readonly draining?: () => boolean
  /** Called with what is a bug: an exception that is no `RpcError`. */
  readonly onBug: (error: unknown, method: string) => void
  /** Calls of one batch. */
  readonly batchMax?: number
  /** Bytes of all answers of one batch. */
  readonly responseBytesMax?: number
}

export interface Dispatcher {
  readonly methods: ReadonlyMap<string, Method>
  /** Answers one request body or WebSocket message. Never throws. */
  answer(text: string, caller: Caller): Answer | Promise<Answer>
}

/** A call that has been carried out: its whole JSON text, or a stream of it. */
interface Done {
  readonly body: string | JsonStream
  readonly status: 200 | RefusalStatus
}

interface Envelope {
  readonly jsonrpc?: unknown
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: unknown
}

/**
 * JSON-RPC 2.0 over any carrier, with geth's limits and texts. Parses once, looks the method up in one table, and asks all items of a batch
 * before it awaits the first.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { meter, onBug, batchMax = limits.rpcBatchMax } = options
  const { responseBytesMax = limits.rpcResponseBytes } = options
  const isDraining = options.draining ?? (() => false)
  const methods = new Map(options.methods.map(row => [row.name, row]))
  let hugeCalls = 0

  function answer(text: string, caller: Caller): Answer | Promise<Answer> {
    if (isDraining()) return { status: 503, body: failedText('null', draining()) }
    if (nestsDeeper(text, limits.rpcDepthMax)) return parseFailed()
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch {
      return parseFailed()
    }
    if (Array.isArray(value)) return answerBatch(value, caller)
    const done = call(value, caller)
    if (done === undefined) return { status: 200 }
    return done
  }

  function parseFailed(): Answer {
    meter.refuse('parse')
    return { status: 200, body: failedText('null', new RpcError(rpcCode.parse, 'parse error')) }
  }

  async function answerBatch(items: readonly unknown[], caller: Caller): Promise<Answer> {
    if (items.length === 0) {
      meter.refuse('empty-batch')
      return { status: 200, body: failedText('null', invalidRequest('empty batch')) }
    }
    if (items.length > batchMax) {
      meter.refuse('batch-too-large')
      const body = `[${failedText(firstId(items), invalidRequest('batch too large'))}]`
      return { status: 200, body }
    }
    const parts: string[] = []
    let bytes = 0
    let next = 0
    while (next < items.length && bytes <= responseBytesMax) {
      const wave: (Done | Promise<Done> | undefined)[] = []
      const first = next
      let large = isLarge(items[next])
      // A large answer goes alone, so that one batch cannot hold many of them at once.
      do {
        wave.push(call(items[next++], caller))
        if (large) break
        large = isLarge(items[next])
      } while (!large && next < items.length && wave.length < limits.rpcBatchAhead)
      for (let index = 0; index < wave.length; index++) {
        const pending = wave[index]
        if (pending === undefined) continue
        const { body } = pending instanceof Promise ? await pending : pending
        const text = typeof body === 'string' ? body : body.text()
        bytes += text.length
        if (bytes <= responseBytesMax) parts.push(text)
        else parts.push(failedText(idOf(items[first + index]), responseTooLarge()))
      }
    }
    for (const item of items.slice(next))
      if (isCall(item)) parts.push(failedText(idOf(item), responseTooLarge()))
    return parts.length === 0 ? { status: 200 } : { status: 200, body: `[${parts.join(',')}]` }
  }

  function isLarge(item: unknown): boolean {
    const { method } = (item ?? {}) as Envelope
    const row = typeof method === 'string' ? methods.get(method) : undefined
    return row !== undefined && row.answer !== 'small'
  }

  /** Carries one call out. Undefined for a notification, which is carried out too but never answered. */
  function call(item: unknown, caller: Caller): Done | Promise<Done> | undefined {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return invalidItem('null')
    const { jsonrpc, id, method, params } = item as Envelope
    const notification = id === undefined
    if (jsonrpc !== '2.0' || typeof method !== 'string' || method === '' || !isId(id))
      return invalidItem(isId(id) && !notification ? idText(id) : 'null')
    const done = run(method, params, caller, notification ? 'null' : idText(id))
    return notification ? undefined : done
  }

  function invalidItem(id: string): Done {
    meter.refuse('invalid-request')
    return { status: 200, body: failedText(id, invalidRequest('invalid request')) }
  }

  function run(name: string, params: unknown, caller: Caller, id: string): Done | Promise<Done> {
    const since = performance.now()
    const row = methods.get(name)
    if (row === undefined) return fail(id, 'other', since, unknownMethod(name))
    if (caller.bucket?.take(row.cost) === false)
      return fail(id, name, since, tooMany(errors['rpc/rate'].text, 429))
    if (row.answer === 'huge' && hugeCalls >= limits.rpcExpensiveMax)
      return fail(id, name, since, tooMany(`too many ${name} calls at a time`))
    if (row.answer === 'huge') hugeCalls++
    try {
      const result = row.run(params, caller)
      if (result instanceof Promise) return finish(id, row, since, result)
      return succeed(id, row, since, result)
    } catch (error) {
      if (row.answer === 'huge') hugeCalls--
      return fail(id, name, since, error)
    }
  }

  async function finish(
    id: string,
    row: Method,
    since: number,
    result: Promise<unknown>,
  ): Promise<Done> {
    try {
      return succeed(id, row, since, await result)
    } catch (error) {
      if (row.answer === 'huge') hugeCalls--
      return fail(id, row.name, since, error)
    }
  }

  function succeed(id: string, row: Method, since: number, result: unknown): Done {
    const head = `{"jsonrpc":"2.0","id":${id},"result":`
    let body: string | JsonStream
    if (result instanceof JsonStream) {
      const release = () => {
        result.end()
        if (row.answer === 'huge') hugeCalls--
      }
      const stream: JsonStream = new JsonStream(
        wrapped(head, result, () => stream.end()),
        release,
      )
      body = stream
    } else {
      body = `${head}${JSON.stringify(result ?? null)}}`
      if (row.answer === 'huge') hugeCalls--
    }
    meter.count(row.name, 'ok', performance.now() - since)
    return { status: 200, body }
  }

  function fail(id: string, name: string, since: number, thrown: unknown): Done {
    let error: RpcError
    if (thrown instanceof RpcError) error = thrown
    else {
      onBug(thrown, name)
      error = internal()
    }
    meter.count(name, outcomeOf(error), performance.now() - since)
    return { status: error.status ?? 200, body: failedText(id, error) }
  }

  return { methods, answer }
}

function* wrapped(head: string, result: JsonStream, end: () => void): Generator<string> {
  yield head
  yield* result.pieces
  yield '}'
  end()
}

function outcomeOf({ code }: RpcError): 'error' | 'busy' | 'timeout' | 'failed' {
  if (code === rpcCode.limit) return 'busy'
  if (code === rpcCode.timeout) return 'timeout'
  return code === rpcCode.internal ? 'failed' : 'error'
}

function failedText(id: string, error: RpcError): string {
  return `{"jsonrpc":"2.0","id":${id},"error":${errorText(error)}}`
}

function invalidRequest(message: string): RpcError {
  return new RpcError(rpcCode.request, message)
}

function responseTooLarge(): RpcError {
  return new RpcError(rpcCode.responseTooLarge, 'response too large')
}

function unknownMethod(name: string): RpcError {
  return new RpcError(rpcCode.method, `the method ${name} does not exist/is not available`)
}

function idText(id: unknown): string {
  return typeof id === 'number' ? String(id) : JSON.stringify(id)
}

function isId(id: unknown): boolean {
  return id === null || typeof id !== 'object'
}

/** Something that is owed an answer. */
function isCall(item: unknown): boolean {
  return typeof item !== 'object' || item === null || (item as Envelope).id !== undefined
}

function idOf(item: unknown): string {
  const id = typeof item === 'object' && item !== null ? (item as Envelope).id : null
  return id === undefined || !isId(id) ? 'null' : idText(id)
}

/** The id of the first call of a batch, as geth answers one that is too large. */
function firstId(items: readonly unknown[]): string {
  for (const item of items) {
    if (typeof item !== 'object' || item === null) continue
    const { jsonrpc, id, method } = item as Envelope
    if (jsonrpc === '2.0' && typeof method === 'string' && id !== undefined && isId(id))
      return idText(id)
  }
  return 'null'
}

/**
 * True when containers are nested deeper than `max`. Looks before parsing: a parser takes seconds over millions of brackets, and this loop
 * does not, since it leaps over strings.
 */
export function nestsDeeper(text: string, max: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) at = endOfString(text, at)
    else if (code === 0x5b || code === 0x7b) {
      if (++depth > max) return true
    } else if (code === 0x5d || code === 0x7d) depth--
  }
  return false
}

/** Where the string that starts at `start` ends: at a quote that no odd run of backslashes precedes. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end > 0) {
    let before = end - 1
    while (text.charCodeAt(before) === 0x5c) before--
    if ((end - before) % 2 === 1) return end
    end = text.indexOf('"', end + 1)
  }
  return text.length
}
