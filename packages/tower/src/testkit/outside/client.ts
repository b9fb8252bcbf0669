import { request } from 'node:http'
import {
  hex,
  join,
  locatorOf,
  publicKey,
  recoverMessage,
  sealFor,
  signMessage,
  u32be,
  unhex,
} from './lightning.ts'

/** How a client thinks of a tower. */
export type TowerStatus =
  | 'reachable'
  | 'temporary_unreachable'
  | 'unreachable'
  | 'subscription_error'
  | 'misbehaving'

export interface TowerAddress {
  readonly id: string
  readonly host: string
  readonly port: number
}

/** A revoked state: the id of what the other side may publish, and what takes it back. */
export interface Revocation {
  readonly disputeTxid: Uint8Array
  readonly penalty: Uint8Array
  readonly delay?: number
}

interface Signed {
  readonly locator: string
  readonly blob: string
  readonly delay: number
  readonly signature: string
}

export interface Receipt {
  readonly locator: string
  readonly userSignature: string
  readonly startBlock: number
  readonly signature: string
}

export interface Tower {
  readonly address: TowerAddress
  status: TowerStatus
  slots: number
  expiry: number
  readonly receipts: Map<string, Receipt>
  readonly pending: Map<string, Signed>
  readonly invalid: Map<string, string>
  /** What proves that it signs with another key than its own. */
  proof: (Receipt & { readonly recovered: string }) | undefined
}

const defaultPort = 9_814
const signatureError = 7

/** `id`, `id@host` or `id@host:port`. */
export function towerAddress(text: string): TowerAddress {
  const match = /^([0-9a-f]{66})(?:@([^:@\s]+)(?::(\d{1,5}))?)?$/i.exec(text)
  if (match === null) throw new Error(`${text} is no <tower_id>[@host[:port]]`)
  const [, id = '', host = 'localhost', port = defaultPort] = match
  return { id: id.toLowerCase(), host, port: Number(port) }
}

/** A request that no answer of a tower came to: the connection, or what came is no JSON. */
export class NoAnswer extends Error {
  readonly kind: 'connection' | 'not-json'
  constructor(kind: 'connection' | 'not-json', message: string) {
    super(message)
    this.kind = kind
  }
}

/** A refusal by number; the status of HTTP says nothing to a client. */
export class Refusal extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

export type TowerClient = ReturnType<typeof createTowerClient>

/**
 * A Lightning node's side of a watchtower, as the plugin of Core Lightning does it: every revoked state goes to every tower; what a tower
 * could not take is kept and sent again; a receipt by another key than the tower's ends all trust. Nothing of the tower's own code is used.
 */
export function createTowerClient(secret: Uint8Array) {
  const userId = hex(publicKey(secret))
  const towers = new Map<string, Tower>()

  async function register(address: TowerAddress): Promise<Tower> {
    const answer = await post(address, 'register', { user_id: userId })
    const slots = numberOf(answer, 'available_slots')
    const start = numberOf(answer, 'subscription_start')
    const expiry = numberOf(answer, 'subscription_expiry')
    const receipt = join(unhex(userId), u32be(slots), u32be(start), u32be(expiry))
    const signer = recoverMessage(receipt, textOf(answer, 'subscription_signature'))
    if (signer !== address.id) throw new Error('the registration is signed by another key')
    const known = towers.get(address.id)
    if (known !== undefined && (slots <= known.slots || expiry <= known.expiry))
      throw new Error('the subscription was not extended')
    const tower: Tower = {
      ...{ address, slots, expiry, status: 'reachable', proof: undefined },
      receipts: known?.receipts ?? new Map(),
      pending: known?.pending ?? new Map(),
      invalid: known?.invalid ?? new Map(),
    }
    towers.set(address.id, tower)
    return tower
  }

  /** A state was revoked: all towers hear of it, one after the other. */
  async function revoke(state: Revocation): Promise<void> {
    const signed = signedOf(state)
    for (const tower of towers.values()) {
      if (tower.status === 'misbehaving') continue
      tower.pending.set(signed.locator, signed)
      if (tower.status === 'reachable') await hand(tower, signed)
    }
  }

  function signedOf({ disputeTxid, penalty, delay = 42 }: Revocation): Signed {
    const locator = locatorOf(disputeTxid)
    const blob = sealFor(disputeTxid, penalty)
    const signature = signMessage(secret, join(locator, blob, u32be(delay)))
    return { locator: hex(locator), blob: hex(blob), delay, signature }
  }

  /** One appointment to one tower; what came of it is in the tower's books. */
  async function hand(tower: Tower, signed: Signed): Promise<void> {
    const { locator, blob, delay, signature } = signed
    try {
      const answer = await post(tower.address, 'add_appointment', {
        appointment: { locator, encrypted_blob: blob, to_self_delay: delay },
        signature,
      })
      take(tower, signed, answer)
    } catch (error) {
      if (error instanceof Refusal) refused(tower, locator, error)
      else if (error instanceof NoAnswer) tower.status = 'temporary_unreachable'
      else throw error
    }
  }

  function take(tower: Tower, { locator, signature }: Signed, answer: Body): void {
    const receipt: Receipt = {
      ...{ locator, userSignature: signature },
      startBlock: numberOf(answer, 'start_block'),
      signature: textOf(answer, 'signature'),
    }
    tower.pending.delete(locator)
    const message = join(Buffer.from(signature, 'ascii'), u32be(receipt.startBlock))
    const recovered = recoverMessage(message, receipt.signature)
    if (recovered !== tower.address.id) {
      tower.status = 'misbehaving'
      tower.proof = { ...receipt, recovered }
      return
    }
    tower.slots = numberOf(answer, 'available_slots')
    tower.status = 'reachable'
    tower.receipts.set(locator, receipt)
  }

  /** Seven: it may be taken later. Every other number: it never will. */
  function refused(tower: Tower, locator: string, { code, message }: Refusal): void {
    if (code === signatureError) {
      tower.status = 'subscription_error'
      return
    }
    tower.pending.delete(locator)
    tower.invalid.set(locator, `${code} ${message}`)
  }

  /**
   * Sends what waits, until nothing waits or `within` is over: a tower that wants a subscription gets one first, one that does not answer is
   * asked again after a pause that doubles. Then it is `unreachable`, and what waits is kept.
   */
  async function retry(
    tower: Tower,
    options: { readonly withinMs: number; readonly firstPauseMs?: number },
  ): Promise<TowerStatus> {
    const deadline = performance.now() + options.withinMs
    let pauseMs = options.firstPauseMs ?? 50
    let current = tower
    for (;;) {
      current = await round(current)
      if (current.status === 'misbehaving' || current.pending.size === 0) return current.status
      if (!towers.has(current.address.id)) return current.status
      if (performance.now() + pauseMs > deadline) break
      await new Promise(resolve => setTimeout(resolve, pauseMs))
      pauseMs *= 2
    }
    if (current.status === 'temporary_unreachable') current.status = 'unreachable'
    return current.status
  }

  async function round(tower: Tower): Promise<Tower> {
    let current = tower
    if (current.status === 'subscription_error') {
      try {
        current = await register(current.address)
      } catch (error) {
        if (error instanceof NoAnswer) current.status = 'temporary_unreachable'
        return current
      }
    }
    current.status = 'reachable'
    for (const signed of current.pending.values()) {
      await hand(current, signed)
      if (current.status !== 'reachable') return current
    }
    return current
  }

  function getAppointment(address: TowerAddress, locator: string): Promise<Body> {
    const signature = signMessage(secret, Buffer.from(`get appointment ${locator}`))
    return post(address, 'get_appointment', { locator, signature })
  }

  function getSubscription(address: TowerAddress): Promise<Body> {
    const signature = signMessage(secret, Buffer.from('get subscription info'))
    return post(address, 'get_subscription_info', { signature })
  }

  function takeBack(address: TowerAddress, locator: string, until: number): Promise<Body> {
    const text = `delete appointment ${locator} ${address.id} ${until}`
    const signature = signMessage(secret, Buffer.from(text))
    return post(address, 'delete_appointment', { locator, until, signature })
  }

  return {
    ...{ userId, towers, register, revoke, retry, signedOf },
    ...{ getAppointment, getSubscription, takeBack },
    /** Forgets the tower and everything about it. */
    abandon(id: string): void {
      if (!towers.delete(id)) throw new Error(`unknown tower ${id}`)
    },
  }
}

export type Body = Readonly<Record<string, unknown>>

function post(address: TowerAddress, path: string, body: object): Promise<Body> {
  const text = JSON.stringify(body)
  const { host, port } = address
  return new Promise((resolve, reject) => {
    const asking = request(
      {
        ...{ host, port, method: 'POST', path: `/${path}`, agent: false },
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      answer => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', error => reject(new NoAnswer('connection', error.message)))
        answer.on('end', () => {
          try {
            resolve(readBody(Buffer.concat(chunks).toString()))
          } catch (error) {
            reject(error as Error)
          }
        })
      },
    )
    asking.on('error', error => reject(new NoAnswer('connection', error.message)))
    asking.end(text)
  })
}

function readBody(text: string): Body {
  let body: Body
  try {
    body = JSON.parse(text) as Body
  } catch {
    throw new NoAnswer('not-json', text.slice(0, 80))
  }
  const { error, error_code: code } = body
  if (
    typeof error === 'string' &&
    Number.isInteger(code) &&
    Number(code) >= 0 &&
    Number(code) < 256
  )
    throw new Refusal(Number(code), error)
  return body
}

function numberOf(body: Body, field: string): number {
  const value = body[field]
  if (typeof value === 'number') return value
  throw new NoAnswer('not-json', `missing field ${field}`)
}

function textOf(body: Body, field: string): string {
  const value = body[field]
  if (typeof value === 'string') return value
  throw new NoAnswer('not-json', `missing field ${field}`)
}
