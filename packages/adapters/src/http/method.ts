import type { Bucket } from './clients.ts'
import { RpcError, rpcCode } from './rpc-error.ts'
import type { Subscriber } from './subscriptions.ts'

/** One positional parameter: its name for `rpc_methods`, and how its JSON becomes a value. */
export interface Param<T> {
  readonly name: string
  /** May be left out at the end, or be null; then `run` gets `absent`. */
  readonly optional: boolean
  readonly absent?: T
  /** Throws an `Error` whose message follows `invalid argument N: `. */
  decode(value: unknown): T
}

/** Who is calling. */
export interface Caller {
  /** Pays for calls; absent on loopback. */
  readonly bucket?: Bucket
  /** Where notifications go; absent on plain HTTP. */
  readonly subscriber?: Subscriber
}

/** `large`: a whole block; awaited alone in a batch. `huge`: a whole pool; besides, few at once on the node. */
type AnswerSize = 'small' | 'large' | 'huge'

/** One row of the method table. */
export interface Method {
  readonly name: string
  readonly params: readonly Param<unknown>[]
  /** `admin`: on the control socket alone. */
  readonly scope: 'public' | 'devnet' | 'admin'
  /** Tokens of the caller's bucket. */
  readonly cost: number
  readonly answer: AnswerSize
  /** Decodes, asks, encodes. Returns what JSON can say, or a promise of it; throws or rejects with `RpcError`. */
  run(params: unknown, caller: Caller): unknown
}

type Values<P extends readonly Param<unknown>[]> = {
  readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never
}

export interface MethodOptions {
  readonly scope?: 'public' | 'devnet' | 'admin'
  readonly cost?: number
  readonly answer?: AnswerSize
}

export function method<const P extends readonly Param<unknown>[]>(
  name: string,
  params: P,
  run: (values: Values<P>, caller: Caller) => unknown,
  { scope = 'public', cost = 1, answer = 'small' }: MethodOptions = {},
): Method {
  return {
    name,
    params,
    scope,
    cost,
    answer,
    run: (given, caller) => run(decodeParams(params, given) as Values<P>, caller),
  }
}

/** Positional parameters by geth's rules and in its words. */
export function decodeParams(params: readonly Param<unknown>[], given: unknown): unknown[] {
  if (given !== undefined && given !== null && !Array.isArray(given))
    throw invalidParams('non-array args')
  const list: readonly unknown[] = given ?? []
  const values: unknown[] = []
  for (let index = 0; index < list.length; index++) {
    const param = params[index]
    if (param === undefined)
      throw invalidParams(`too many arguments, want at most ${params.length}`)
    values.push(decodeParam(param, list[index], index))
  }
  for (let index = list.length; index < params.length; index++) {
    if (params[index]?.optional !== true)
      throw invalidParams(`missing value for required argument ${index}`)
    values.push(params[index]?.absent)
  }
  return values
}

function decodeParam(param: Param<unknown>, value: unknown, index: number): unknown {
  if (param.optional && (value === null || value === undefined)) return param.absent
  try {
    return param.decode(value)
  } catch (error) {
    if (error instanceof RpcError) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw invalidParams(`invalid argument ${index}: ${text}`)
  }
}

export function invalidParams(message: string): RpcError {
  return new RpcError(rpcCode.params, message)
}
