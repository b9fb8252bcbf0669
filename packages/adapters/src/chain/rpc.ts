import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { CodedError, limits } from '@rockpool/protocol'

/** Who the node is asked as: a user, or the file in which it leaves a new password at each start. */
export type BitcoinLogin =
  | { readonly user: string; readonly password: string }
  | { readonly cookie: string }

export interface RpcOptions {
  readonly host: string
  readonly port: number
  readonly login: BitcoinLogin
  /** How long one answer is waited for. */
  readonly deadlineMs?: number
}

/** The node's own refusal. */
export class RpcError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'RpcError'
    this.code = code
  }
}

export type BitcoinRpc = ReturnType<typeof createBitcoinRpc>

/** JSON-RPC 1.0 as bitcoin nodes speak it. Rejects with `RpcError` when the node refuses, with `tower/backend-lost` when it cannot be asked. */
export function createBitcoinRpc({ host, port, login, deadlineMs = 30_000 }: RpcOptions) {
  const agent = new Agent({ keepAlive: true, maxSockets: limits.towerBackendCallsMax })
  let id = 0

  async function call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '1.0', id: (id += 1), method, params })
    const { status, text } = await post(body)
    if (status === 401 || status === 403)
      throw lost(`${host}:${port} refuses the credentials (${status})`)
    const answer = readAnswer(text)
    if (answer === undefined) throw lost(`${host}:${port} answers ${status} ${text.slice(0, 80)}`)
    if (answer.error !== null) throw new RpcError(answer.error.code, answer.error.message)
    return answer.result
  }

  function post(body: string): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(lost(`${host}:${port} ${error.message}`))
      const sending = request(
        {
          ...{ host, port, agent, method: 'POST', path: '/' },
          headers: {
            authorization: authorization(),
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        },
        answer => {
          const chunks: Buffer[] = []
          let size = 0
          answer.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size > limits.towerBackendAnswerBytesMax)
              sending.destroy(new Error('answers more than is read'))
            else chunks.push(chunk)
          })
          answer.on('error', fail)
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
          )
        },
      )
      sending.setTimeout(deadlineMs, () => sending.destroy(new Error('does not answer')))
      sending.on('error', fail)
      sending.end(body)
    })
  }

  /** A cookie is read for each question: the node writes another whenever it starts. */
  function authorization(): string {
    if (!('cookie' in login)) return basic(`${login.user}:${login.password}`)
    try {
      return basic(readFileSync(login.cookie, 'utf8').trim())
    } catch {
      throw lost(`cannot read the cookie ${login.cookie}`)
    }
  }

  return { call, close: () => agent.destroy() }
}

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`

function lost(why: string): CodedError {
  return new CodedError('tower/backend-lost', `tower/backend-lost: ${why}`)
}

interface Answer {
  readonly result: unknown
  readonly error: { readonly code: number; readonly message: string } | null
}

/** Undefined for what is no answer of a bitcoin node, such as a page that says its queue is full. */
function readAnswer(text: string): Answer | undefined {
  try {
    const answer = JSON.parse(text) as Partial<Answer> | null
    if (typeof answer !== 'object' || answer === null) return undefined
    const { result, error } = answer
    if (error === undefined || error === null) return { result, error: null }
    if (typeof error.code !== 'number' || typeof error.message !== 'string') return undefined
    return { result, error }
  } catch {
    return undefined
  }
}
