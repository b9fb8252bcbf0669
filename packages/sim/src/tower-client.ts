import {
  type Answer,
  type AppointmentReceipt,
  type AppointmentState,
  type Code,
  decodeTx,
  fromHex,
} from '@rockpool/protocol'
import {
  appointmentMessage,
  getMessage,
  locatorOf,
  messageDigest,
  toZbase32,
} from '@rockpool/tower'
import type { Appointed, WorldView } from './api.ts'
import { TOWER } from './options.ts'
import type { PlanArgs } from './plan.ts'
import { walletsOf } from './wallets.ts'

const gwei = 10n ** 9n
/** Again, as long as there is no receipt or the breach is in no block. */
const againMs = 4_000
/** A client looks after what he was promised. */
const lookMs = 10_000
/** Newest ones he asks for at each look. */
const looksAt = 3
const delayBlocks = 42
/** Of an appointment whose time is not over: it is not there, or its user is not. */
const gone: ReadonlySet<Code> = new Set<Code>([
  'tower/not-found',
  'tower/unknown-user',
  'tower/not-authenticated',
])

/** One agreement: the transaction that breaks it, the one that answers, and how far it has come. */
interface Deal extends Appointed {
  readonly raw: Uint8Array
  readonly locator: Uint8Array
  readonly blob: Uint8Array
  readonly via: number
  readonly waitMs: number
  receipted: boolean
  broken: boolean
}

/**
 * A client of the watchtower, who is honest, and his partner, who is not. Each deal has a transaction of one account that breaks it and one of
 * another that answers, both signed beforehand with the next nonces. A deal begins when the one before it has its receipt; what breaks it is
 * sent until its account has moved on.
 */
export function appointments(world: WorldView): (args: PlanArgs['appoint']) => void {
  const { tower } = world
  if (tower === undefined) return () => {}
  const signing = {
    keccak256: (bytes: Uint8Array) => world.crypto.keccak256(bytes),
    sign: (digest: Uint8Array, key: Uint8Array) => world.sign(digest, key),
  }
  const [partner, client] = walletsOf(signing, BigInt(world.genesis.chainId)).slice(-2)
  const user = tower.keyOf(world.crypto.sha256(Buffer.from(`client/${world.options.seed}`)))
  const deals: Deal[] = []
  const wishes: PlanArgs['appoint'][] = []
  let isRegistered = false
  let isBusy = false

  const signed = (message: Uint8Array) =>
    toZbase32(user.sign(messageDigest(tower.crypto.sha256, message)))

  function deal([via, waitMs]: PlanArgs['appoint']): Deal | undefined {
    if (partner === undefined || client === undefined || tower === undefined) return undefined
    const nonce = deals.length
    const fees = { tip: 30n * gwei, feeCap: 500n * gwei }
    const raw = partner.transfer({ nonce, to: client.address, value: 1n, ...fees })
    const penalty = client.transfer({ nonce, to: partner.address, value: 2n, ...fees })
    const [breach, answer] = [raw, penalty].map(bytes => decodeTx(bytes, signing.keccak256))
    if (breach?.ok !== true || answer?.ok !== true) return undefined
    const txid = fromHex(breach.value.hash)
    return {
      ...{ node: TOWER, dispute: breach.value.hash, penalty: answer.value.hash },
      ...{ raw, via, waitMs, locator: locatorOf(txid), receipted: false, broken: false },
      blob: tower.crypto.seal(tower.crypto.sha256(txid), penalty),
    }
  }

  /** Registers, begins the next deal, and asks again what was not answered. */
  async function goOn(): Promise<void> {
    if (isBusy) return
    isBusy = true
    if (!isRegistered) {
      const address = '198.51.100.1'
      const answer = await world.askTower<Answer<unknown>>(TOWER, reply => ({
        ...{ type: 'watcher.register', user: user.id, address, reply },
      }))
      isRegistered = answer?.ok === true
    }
    if (isRegistered) await hand()
    isBusy = false
  }

  async function hand(): Promise<void> {
    let open = deals.find(({ receipted }) => !receipted)
    if (open === undefined) {
      const wish = wishes.shift()
      open = wish === undefined ? undefined : deal(wish)
      if (open === undefined) return
      deals.push(open)
    }
    const handed = open
    const { locator, blob, waitMs } = handed
    const appointment = { locator, blob, delay: delayBlocks }
    const signature = signed(appointmentMessage(locator, blob, delayBlocks))
    const answer = await world.askTower<Answer<AppointmentReceipt>>(TOWER, reply => ({
      ...{ type: 'watcher.add', appointment, signature, reply },
    }))
    if (answer?.ok !== true) return
    handed.receipted = true
    world.appointed('receipted', handed)
    world.sometimes('tower/receipted')
    world.at(world.nowMs + waitMs, 'breach', () => breach(handed))
  }

  /** Until the end: a node that took it may be killed, a branch with it may leave. */
  function breach(broken: Deal): void {
    broken.broken = true
    void world.submit(broken.via, broken.raw)
    const after = deals.indexOf(broken) + 1
    // Later ones of the same account wait for it, so the newest two that are broken are enough.
    if (deals.slice(after).filter(later => later.broken).length >= 2) return
    if (world.nowMs + againMs < world.endMs) {
      world.at(world.nowMs + againMs, 'breach', () => breach(broken))
    }
  }

  async function look(): Promise<void> {
    const kept = deals.filter(({ receipted, broken }) => receipted && !broken).slice(-looksAt)
    for (const each of kept) {
      const { locator } = each
      const answer = await world.askTower<Answer<AppointmentState>>(TOWER, reply => ({
        ...{ type: 'watcher.get', locator, signature: signed(getMessage(locator)), reply },
      }))
      const isGone = answer?.ok === false && gone.has(answer.code)
      if (isGone && !each.broken) world.appointed('missing', each)
    }
  }

  function tick(atMs: number, everyMs: number, act: () => Promise<void>): void {
    if (atMs >= world.endMs) return
    world.at(atMs, 'client', () => {
      void act()
      tick(atMs + everyMs, everyMs, act)
    })
  }

  tick(againMs, againMs, goOn)
  tick(lookMs, lookMs, look)
  return wish => {
    wishes.push(wish)
  }
}
