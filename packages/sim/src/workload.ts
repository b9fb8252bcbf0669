import { type Added, type Address, type Answer, type Code } from '@rockpool/protocol'
import type { WorldView } from './api.ts'
import { ACCOUNTS, type PlanArgs, type TxKind } from './plan.ts'
import { type Wallet, walletsOf } from './wallets.ts'

const gwei = 10n ** 9n
/** Above the tip: more than the base fee of a chain that is not full for hours. */
const headroom = 20n * gwei
/** Of one account, for replacements and further tries. */
const remembered = 64
const valueMax = 1_000_000_000

/** One transaction of an account, under its nonce. */
interface Sent {
  readonly raw: Uint8Array
  readonly feeCap: bigint
  readonly tip: bigint
  /** A node has said that it has it, or that the nonce is used. */
  taken: boolean
  /** A node is asked and has not answered yet: nobody else is asked before that. */
  asked: boolean
}

interface Sender {
  readonly wallet: Wallet
  readonly sent: Map<number, Sent>
  /** Lowest nonce nothing was sent with. */
  next: number
}

/** Refusals after which the node surely does not hold it, and another may. */
const mayComeAgain: ReadonlySet<Code> = new Set<Code>([
  'load/not-ready',
  'load/internal',
  'actor/busy',
  'pool/journal-failed',
  'pool/state-missing',
  'pool/closed',
  'pool/full',
  'pool/underpriced',
  'pool/insufficient-funds',
])

/**
 * What wallets do: each transaction of a plan is one of an account, given to one node as JSON-RPC would. `next` takes the lowest nonce that
 * was not used; `gap` leaves that one out, and a later `next` fills it; `replace` pays a quarter more for the last one, or, at the lowest tip,
 * too little to be taken. What a node did not take goes to the node of the account's next transaction, before it. So any part of a plan is a
 * plan.
 */
export function transfers(
  world: Pick<WorldView, 'sign' | 'fork' | 'submit'> & {
    readonly genesis: Pick<WorldView['genesis'], 'chainId'>
    readonly crypto: Pick<WorldView['crypto'], 'keccak256'>
  },
): (args: PlanArgs['tx']) => void {
  const { genesis } = world
  const signing = {
    keccak256: (bytes: Uint8Array) => world.crypto.keccak256(bytes),
    sign: (digest: Uint8Array, key: Uint8Array) => world.sign(digest, key),
  }
  const senders = walletsOf(signing, BigInt(genesis.chainId))
    .slice(0, ACCOUNTS)
    .map((wallet): Sender => ({ wallet, sent: new Map(), next: 0 }))
  const rng = world.fork('values')

  function submit(node: number, sent: Sent): void {
    sent.asked = true
    world.submit(node, sent.raw).then(
      answer => learn(sent, answer),
      () => {
        sent.asked = false
      },
    )
  }

  function sendNew(sender: Sender, nonce: number, node: number, tip: bigint): void {
    const to = recipient(senders, rng.int(senders.length))
    const feeCap = tip + headroom
    const value = BigInt(rng.range(1, valueMax))
    const raw = sender.wallet.transfer({ nonce, to, value, feeCap, tip })
    const sent = { raw, feeCap, tip, taken: false, asked: false }
    sender.sent.set(nonce, sent)
    while (sender.sent.has(sender.next)) sender.next += 1
    forgetOld(sender)
    submit(node, sent)
  }

  /** The last one sent, for more. Whatever a node says of it, one of the two stays good. */
  function replace(sender: Sender, node: number, tipGwei: number): void {
    const [nonce, last] = [...sender.sent].at(-1) ?? []
    if (nonce === undefined || last === undefined) return sendNew(sender, 0, node, gwei)
    const percent = tipGwei === 1 ? 105n : 125n
    const [feeCap, tip] = [(last.feeCap * percent) / 100n, (last.tip * percent) / 100n]
    const to = recipient(senders, rng.int(senders.length))
    const raw = sender.wallet.transfer({ nonce, to, value: 1n, feeCap, tip })
    if (percent < 110n) return submit(node, { raw, feeCap, tip, taken: false, asked: false })
    const sent = { raw, feeCap, tip, taken: false, asked: false }
    sender.sent.set(nonce, sent)
    submit(node, sent)
  }

  function sendAgain(sender: Sender, node: number): void {
    for (const sent of sender.sent.values()) {
      if (!sent.taken && !sent.asked) submit(node, sent)
    }
  }

  const deeds: Record<TxKind, (sender: Sender, node: number, tipGwei: number) => void> = {
    next: (sender, node, tip) => sendNew(sender, sender.next, node, BigInt(tip) * gwei),
    gap: (sender, node, tip) => {
      let nonce = sender.next + 1
      while (sender.sent.has(nonce)) nonce += 1
      sendNew(sender, nonce, node, BigInt(tip) * gwei)
    },
    replace,
  }

  return ([account, node, kind, tipGwei]) => {
    const sender = senders[account % senders.length]
    if (sender === undefined) return
    sendAgain(sender, node)
    deeds[kind](sender, node, Math.max(1, tipGwei))
  }
}

/** What is long taken needs no second try. */
function forgetOld(sender: Sender): void {
  for (const [nonce, { taken }] of sender.sent) {
    if (sender.sent.size <= remembered) return
    if (taken && nonce < sender.next - 1) sender.sent.delete(nonce)
  }
}

function learn(sent: Sent, answer: Answer<Added>): void {
  sent.asked = false
  if (answer.ok || !mayComeAgain.has(answer.code)) sent.taken = true
}

function recipient(senders: readonly Sender[], index: number): Address {
  const sender = senders[index]
  if (sender === undefined) throw new RangeError('somebody is paid')
  return sender.wallet.address
}
