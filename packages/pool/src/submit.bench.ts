import { type ActorRef, createTestBus, Probe } from '@rockpool/actor'
import {
  type Added,
  type Answer,
  type ChainMessage,
  devForks,
  ok,
  type PoolMessage,
  type Store,
  zeroHash,
} from '@rockpool/protocol'
import { type BenchRow, MemoryStore } from '@rockpool/protocol/conformance'
import { defaultPoolConfig } from './config.ts'
import { poolActor, poolMailbox } from './pool.actor.ts'
import { aHead, anAccount, aTx } from './testing.ts'

const perTurn = 512
const turns = 8

/** Turns of 512 own transactions through the actor, without cryptography, per CPU second: not followed, followed, and written to a store in memory. */
export async function rows(): Promise<BenchRow[]> {
  const bare = await rate({ isFollowed: false })
  const followed = await rate({ isFollowed: true })
  const journaled = await rate({ isFollowed: true, store: () => new MemoryStore() })
  const row = (name: string, ours: number, target: number): BenchRow => ({
    row: `own transactions, turns of ${perTurn}, ${name}`,
    unit: 'tx/s',
    ours,
    reference: { name: 'not followed', value: bare },
    ratio: ours / bare,
    target: `>= ${target}`,
    met: ours >= target,
  })
  return [
    row('not followed', bare, 60_000),
    row('followed', followed, 60_000),
    row('journaled', journaled, 30_000),
  ]
}

async function rate(wish: { isFollowed: boolean; store?: () => Store }): Promise<number> {
  const times: number[] = []
  for (let run = 0; run < 9; run++) times.push(await timed(wish))
  const median = times.slice(2).sort((left, right) => left - right)[3] ?? Number.NaN
  return Math.round((perTurn * turns * 1_000) / median)
}

async function timed({ isFollowed, store }: { isFollowed: boolean; store?: () => Store }) {
  const test = createTestBus({ wiring: { 'pool.changed': [] } })
  const chain = new Probe<ChainMessage>(test.bus, 'chain', message => {
    if (message.type !== 'chain.getAccounts') return
    const accounts = message.addresses.map(() => ({
      ...anAccount({ balance: 10n ** 24n }),
      delegation: null,
    }))
    message.reply.tell(ok({ at: aHead(), accounts }))
  })
  const pool: ActorRef<PoolMessage> = test.bus.declare<PoolMessage>('pool', poolMailbox)
  test.bus.spawn(
    pool,
    poolActor({
      config: { ...defaultPoolConfig, noLocals: !isFollowed },
      ...{ chain: chain.ref, recovery: { recover: async () => [] }, forks: devForks },
      ...{ keccak256: () => new Uint8Array(32), chainId: 1337n, start: aHead() },
      ...(store && { journal: { store: store(), genesis: zeroHash } }),
    }),
  )
  await test.settle()
  const batches = Array.from({ length: turns }, (_, turn) =>
    Array.from({ length: perTurn }, (_, index) => aTx({ from: index, nonce: turn })),
  )
  let taken = 0
  const reply = {
    tell: (answers: readonly Answer<Added>[]) => {
      taken += answers.filter(({ ok: isTaken }) => isTaken).length
    },
  }
  const from = process.cpuUsage()
  for (const txs of batches) {
    pool.tell({ type: 'pool.add', txs, origin: 'local', reply: reply as never })
    await test.settle()
  }
  const { user, system } = process.cpuUsage(from)
  const ms = (user + system) / 1_000
  if (taken !== perTurn * turns) throw new Error(`${taken} taken`)
  return ms
}

if (process.argv[1]?.endsWith('submit.bench.ts') === true) {
  for (const { row, unit, ours, target, met, ratio } of await rows())
    process.stdout.write(
      `${row}: ${ours} ${unit}, ${target}, ${ratio?.toFixed(2)} of not followed ${met ? 'ok' : 'MISSED'}\n`,
    )
}
