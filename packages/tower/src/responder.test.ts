import { describe, expect, test } from 'vitest'
import { plainHex } from './signing.ts'
import { aPair, TestChain } from './testkit/chain.ts'
import { aTower, aUser, code } from './testkit/world.ts'
import type { Sent } from './tracker.ts'

type World = Awaited<ReturnType<typeof aTower>>

/** A tower with a breach in the last block. */
async function breached(options: Parameters<typeof aTower>[0] = {}, answer?: Sent) {
  const world = await aTower(options)
  const { who, pair } = await aUser(world)
  await world.add(who, pair)
  if (answer !== undefined) world.chain.answer = () => answer
  await world.mine(pair.dispute)
  const state = () => world.where(who, pair.dispute)
  const sends = () => world.chain.sent.length
  return { world, who, pair, state, sends }
}

const fee: Sent = { class: 'deferred', reason: 'fee' }
const taken: Sent = { class: 'satisfied' }

async function reasonOf(world: World, uuid: Uint8Array): Promise<string | undefined> {
  const found = await world.why(uuid)
  return found.ok ? found.value[0]?.tracker?.reason : found.code
}

describe('sending', () => {
  test('tower B24 B84: what the network takes is in the mempool since this height, and the second of one uuid changes nothing', async () => {
    const { world, who, pair, state, sends } = await breached()
    const { chain } = world

    world.responder.tell({
      type: 'responder.respond',
      breaches: [
        {
          ...{ uuid: world.uuid(who, pair.dispute), disputeTxid: pair.dispute.txid },
          ...{ penaltyTxid: pair.penalty.txid, disputeBlock: chain.tip },
        },
      ],
    })
    await world.test.settle()

    expect(await state()).toBe('mempool')
    expect(sends()).toBe(1)
    const why = await world.why(world.uuid(who, pair.dispute))
    expect(why).toMatchObject({
      value: [{ tracker: { since: 101, tries: 1, disputeHeight: 101 } }],
    })
  })

  test('tower B7 B17 B27 B89 B249: a refusal defers with its reason, is tried with every block, and fires when the reason has gone', async () => {
    const { world, who, pair, state, sends } = await breached({}, fee)

    expect(await state()).toBe('deferred')
    expect(await reasonOf(world, world.uuid(who, pair.dispute))).toBe('fee')
    expect(code(await world.add(who, pair))).toBe('tower/triggered')
    await world.pass(3)
    expect(sends()).toBe(4)
    world.chain.answer = () => taken
    await world.pass(1)

    expect(await state()).toBe('mempool')
    expect((await world.responderStats()).broadcasts.get('deferred')).toBe(4)
  })

  test('tower B33 B34: an unconfirmed penalty is sent again after six blocks, not before, and a refusal then defers', async () => {
    const { world, state, sends } = await breached()

    await world.pass(5)
    expect(sends()).toBe(1)
    await world.pass(1)
    expect(sends()).toBe(2)
    world.chain.answer = () => fee
    await world.pass(5)
    expect(sends()).toBe(2)
    await world.pass(1)

    expect(await state()).toBe('deferred')
  })

  test('tower B12 B226: what is invalid for ever is closed, with the dispute confirmed', async () => {
    const { state } = await breached({}, { class: 'invalid', reason: 'script' })

    expect(await state()).toBe('closed: invalid')
  })

  test('a penalty whose output another transaction took is lost when that is 100 blocks deep, not before', async () => {
    const { world, state } = await breached({}, { class: 'losing', reason: 'spent' })

    await world.pass(99)
    expect(await state()).toBe('losing')
    await world.pass(1)
    expect(await state()).toBe('closed: lost')
  })

  test('tower B26 B28: a penalty that is in a block already is confirmed at its height without sending', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.mine(pair.dispute, pair.penalty)
    await world.pass(2)

    await world.add(who, pair)

    expect(world.chain.sent).toEqual([])
    const why = await world.why(world.uuid(who, pair.dispute))
    expect(why).toMatchObject({ value: [{ tracker: { state: 'confirmed', penaltyHeight: 101 } }] })
  })

  test('tower B29: nothing is known of a tracker before, all after, and nothing when it is resolved', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    const states = [(await world.responderStats()).states.size]

    await world.mine(pair.dispute)
    states.push((await world.responderStats()).states.get('mempool') ?? 0)
    await world.mine(pair.penalty)
    await world.pass(100)
    states.push((await world.responderStats()).states.size)

    expect(states).toEqual([0, 1, 0])
  })

  test('tower B30 B294: many blocks heard of at once resolve what is more than 100 deep', async () => {
    const { world, pair, state } = await breached()
    await world.mine(pair.penalty)
    await world.pass(98)
    expect(await state()).toBe('confirmed')
    world.chain.mine()
    world.chain.mine()
    world.chain.mine()

    await world.follow()

    expect(await state()).toBe('gone')
  })
})

describe('reorgs', () => {
  test('tower B21 B36 B105: a block that leaves takes the confirmation with it, and the penalty is sent again', async () => {
    const { world, pair, state, sends } = await breached()
    await world.mine(pair.penalty)
    expect(await state()).toBe('confirmed')
    world.chain.undo(1)
    world.chain.mine()
    world.chain.mine()

    await world.follow()

    expect(await state()).toBe('mempool')
    expect(sends()).toBe(2)
    expect(await world.info()).toMatchObject({ height: 103 })
  })

  test('tower B31 B32: after a reorg a refusal defers and keeps the tracker', async () => {
    const { world, pair, state } = await breached()
    await world.mine(pair.penalty)
    world.chain.answer = () => fee
    world.chain.undo(1)
    world.chain.mine()
    world.chain.mine()

    await world.follow()

    expect(await state()).toBe('deferred')
  })

  test('tower B286: a reorg that confirms both again in one batch sends nothing and changes nothing', async () => {
    const { world, pair, state, sends } = await breached()
    await world.mine(pair.penalty)
    world.chain.undo(2)
    world.chain.mine(pair.dispute)
    world.chain.mine()
    world.chain.mine(pair.penalty)

    await world.follow()

    expect(await state()).toBe('confirmed')
    expect(sends()).toBe(1)
  })

  test('tower B284: a dispute that a reorg has removed is sent again before its penalty', async () => {
    const { world, pair, state } = await breached()
    world.chain.undo(1)
    world.chain.mine()
    world.chain.mine()

    await world.follow()

    const names = [pair.penalty, pair.dispute, pair.penalty].map(({ txid }) => plainHex(txid))
    expect(world.chain.sent).toEqual(names)
    await world.mine(pair.dispute)
    await world.mine(pair.penalty)
    expect(await state()).toBe('confirmed')
  })

  test('tower B285: with that switched off it waits for the dispute to come back, and then answers', async () => {
    const { world, pair, state, sends } = await breached({ config: { rebroadcastDispute: false } })
    world.chain.undo(1)
    world.chain.mine()
    world.chain.mine()
    await world.follow()

    expect(await state()).toBe('dormant')
    expect(sends()).toBe(1)
    await world.mine(pair.dispute)

    expect(sends()).toBe(2)
    expect(await state()).toBe('mempool')
  })

  test('tower B253: a dispute that stays away for 100 blocks is watched for again, and answered when it comes', async () => {
    const refused: Sent = { class: 'deferred', reason: 'missing' }
    const { world, pair, state } = await breached()
    world.chain.answer = () => refused
    world.chain.undo(1)
    world.chain.mine()
    world.chain.mine()
    await world.follow()

    await world.pass(99)
    expect(await state()).toBe('dormant')
    await world.pass(1)
    expect(await state()).toBe('watched')
    world.chain.answer = () => taken
    await world.mine(pair.dispute)

    expect(await state()).toBe('mempool')
  })

  test.each([6, 99])(
    'tower B287: a reorg %i deep with a restart in the middle ends where a tower ends that saw only the last chain',
    async depth => {
      const { world, who, pair } = await breached()
      await world.mine(pair.penalty)
      await world.pass(depth - 2)
      world.chain.undo(depth)
      for (let count = 0; count < depth; count += 1) world.chain.mine()
      world.chain.mine(pair.dispute)
      world.watcher.tell({ type: 'watcher.head', head: world.chain.tip })
      world.responder.tell({ type: 'responder.head', head: world.chain.tip })
      world.test.run()

      const again = await world.again()

      expect(await again.where(who, pair.dispute)).toBe('mempool')
      expect(await again.info()).toMatchObject({ height: world.chain.tip.height, blocksBehind: 0 })
    },
  )

  test('tower B297: a fork deeper than all that is remembered stops the tower, and force_update goes on from the tip', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    await world.pass(100)
    world.chain.undo(150)
    for (let count = 0; count < 160; count += 1) world.chain.mine()

    await world.follow()

    expect(await world.info()).toMatchObject({ state: 'backend-lost', height: 200 })
    const again = await world.again({ forceUpdate: true })
    await again.mine(pair.dispute)
    expect(await again.where(who, pair.dispute)).toBe('mempool')
  })
})

describe('after a crash', () => {
  test('tower B22 B23 B76: trackers of every state go on where they were', async () => {
    const { world, who, pair, state } = await breached({}, fee)
    const other = aPair(0x50)
    await world.add(who, other)
    world.chain.answer = txid => (txid === plainHex(other.penalty.txid) ? taken : fee)
    await world.mine(other.dispute)
    await world.mine(other.penalty)

    const again = await world.again()

    expect(await again.where(who, pair.dispute)).toBe(await state())
    expect(await again.where(who, other.dispute)).toBe('confirmed')
    world.chain.answer = () => taken
    await again.pass(1)
    expect(await again.where(who, pair.dispute)).toBe('mempool')
    await again.pass(99)
    expect(await again.where(who, other.dispute)).toBe('gone')
  })

  test('a tracker that the watcher wrote and nobody was told of is answered after the restart', async () => {
    const { world, who, pair } = await breached()
    world.chain.sent.length = 0

    const again = await world.again()
    await again.pass(6)

    expect(await again.where(who, pair.dispute)).toBe('mempool')
    expect(world.chain.sent.length).toBeGreaterThan(0)
  })

  test('what was answered while nobody looked is found in the last 100 blocks', async () => {
    const { world, who, pair, sends } = await breached()
    world.chain.mine(pair.penalty)
    for (let count = 0; count < 20; count += 1) world.chain.mine()

    const again = await world.again()

    expect(await again.where(who, pair.dispute)).toBe('confirmed')
    expect(sends()).toBe(1)
  })

  test('a chain shorter than everything a start looks at is no obstacle', async () => {
    const world = await aTower({ chain: new TestChain(2) })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)

    await world.mine(pair.dispute)

    expect(await world.where(who, pair.dispute)).toBe('mempool')
  })
})
