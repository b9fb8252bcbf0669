/**
 * Clients of a watchtower in a process of their own: everything is signed before the clock starts, and each of many keep-alive connections has
 * one request under way.
 */
import { connect } from 'node:net'
import { createTowerClient, type TowerAddress, u32be } from '@rockpool/tower/testkit/outside'

export interface TowerSignWish {
  readonly kind: 'sign'
  readonly address: TowerAddress
  readonly users: number
  /** Appointments of each user. */
  readonly each: number
}
export interface TowerAddWish {
  readonly kind: 'add'
  readonly connections: number
}
export interface TowerAddResult {
  readonly added: number
  readonly refused: number
  readonly refusal?: string
  readonly ms: number
  readonly latenciesMs: readonly number[]
}

/** As real penalties: 350 bytes with the seal. */
const penaltyBytes = 334
let requests: string[] = []
let port = 0

async function sign({ address, users, each }: TowerSignWish): Promise<number> {
  port = address.port
  for (let user = 0; user < users; user += 1) {
    const secret = new Uint8Array(32).fill(user + 1)
    const client = createTowerClient(secret)
    await client.register(address)
    for (let made = 0; made < each; made += 1) {
      const disputeTxid = new Uint8Array(32)
      disputeTxid.set(u32be(user * each + made))
      const penalty = new Uint8Array(penaltyBytes)
      const { locator, blob, delay, signature } = client.signedOf({ disputeTxid, penalty })
      const appointment = { locator, encrypted_blob: blob, to_self_delay: delay }
      const body = JSON.stringify({ appointment, signature })
      requests.push(
        `POST /add_appointment HTTP/1.1\r\nhost: t\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      )
    }
  }
  return requests.length
}

async function add({ connections }: TowerAddWish): Promise<TowerAddResult> {
  const latenciesMs: number[] = []
  let refused = 0
  let refusal: string | undefined
  const waiting = requests
  requests = []
  let next = 0
  const began = performance.now()
  const heard = (answer: string, sentAt: number) => {
    if (answer.startsWith('HTTP/1.1 200')) return void latenciesMs.push(performance.now() - sentAt)
    refused += 1
    refusal ??= answer.slice(-120)
  }
  const line = () => drive(() => waiting[next++], heard)
  await Promise.all(Array.from({ length: connections }, line))
  const ms = performance.now() - began
  const added = latenciesMs.length
  return { added, refused, ms, latenciesMs, ...(refusal !== undefined && { refusal }) }
}

function drive(
  body: () => string | undefined,
  heard: (answer: string, sentAt: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    let text = ''
    let sentAt = 0
    const ask = () => {
      const next = body()
      if (next === undefined) return void socket.end()
      sentAt = performance.now()
      socket.write(next)
    }
    socket.setEncoding('latin1')
    socket.on('connect', ask)
    socket.on('error', reject)
    socket.on('close', () => resolve())
    socket.on('data', chunk => {
      text += chunk
      const end = text.indexOf('\r\n\r\n')
      const length = /content-length: (\d+)/i.exec(text)?.[1]
      if (end < 0 || length === undefined || text.length < end + 4 + Number(length)) return
      const answer = text
      text = ''
      heard(answer, sentAt)
      ask()
    })
  })
}

process.on('message', (wish: TowerSignWish | TowerAddWish) => {
  const work: Promise<unknown> = wish.kind === 'sign' ? sign(wish) : add(wish)
  void work.then(result => process.send?.(result))
})
