import { describe, expect, test } from 'vitest'
import { slotsOf } from './blob.ts'
import {
  appointmentMessage,
  appointmentReceipt,
  locatorOf,
  plainHex,
  recoveryOf,
  registrationReceipt,
} from './signing.ts'
import { aPair, aTransaction } from './testkit/chain.ts'
import { aKey, sha256, testCrypto } from './testkit/crypto.ts'
import { aTower, aUser, code, shownId } from './testkit/world.ts'

async function isTowers(message: Uint8Array, signature: string): Promise<boolean> {
  const job = recoveryOf(sha256, message, signature)
  const [key] = job ? await testCrypto.recoverKeys([job]) : []
  return key !== undefined && plainHex(key) === plainHex(aKey(0x22).id)
}

describe('registering', () => {
  test('tower B2 B151: a receipt has the right numbers under the key of the tower, and a renewal raises slots and end', async () => {
    const world = await aTower()
    const who = aKey(0x11)

    const first = await world.register(who)
    await world.pass(1)
    const second = await world.register(who)

    if (!first.ok || !second.ok) throw new Error('granted')
    expect(first.value).toMatchObject({ slots: 10_000, start: 100, expiry: 4_420 })
    expect(second.value).toMatchObject({ slots: 20_000, start: 100, expiry: 8_740 })
    for (const { value } of [first, second])
      expect(await isTowers(registrationReceipt(value), value.signature)).toBe(true)
  })

  test('tower B152: what is no point of the curve has no subscription', async () => {
    const world = await aTower()
    const user = new Uint8Array(33).fill(5)

    const answer = await world.ask(reply => ({
      ...{ type: 'watcher.register', user, address: '192.0.2.1', reply },
    }))

    expect(answer).toMatchObject({ ok: false, code: 'tower/bad-key' })
  })
})

describe('taking appointments', () => {
  test('tower B3 B11 B60 B155: a new one is a row, the same again is the same row, and another user has his own for the same locator', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const other = (await aUser(world, 0x12)).who

    const first = await world.add(who, pair)
    const again = await world.add(who, pair)
    const others = await world.add(other, pair)

    expect([first, again, others].map(code)).toEqual(['ok', 'ok', 'ok'])
    expect(again).toMatchObject({ value: { slots: 9_999 } })
    expect(await world.info()).toMatchObject({ watched: 2, locators: 1, users: 2 })
    if (!first.ok) throw new Error('taken')
    const { signature, startBlock } = first.value
    const locator = locatorOf(pair.dispute.txid)
    const own = world.sign(who, appointmentMessage(locator, pair.blob, 42))
    expect(startBlock).toBe(100)
    expect(await isTowers(appointmentReceipt(own, 100), signature)).toBe(true)
    expect(await isTowers(appointmentReceipt(own, 101), signature)).toBe(false)
  })

  test('tower B8 B38 B58 B156: an unknown signer and text that is no signature get the one answer for all, and nothing is kept', async () => {
    const world = await aTower()
    const pair = aPair(1)

    const unknown = await world.add(aKey(0x31), pair)
    const garbage = await world.ask(reply => ({
      type: 'watcher.add',
      appointment: { locator: locatorOf(pair.dispute.txid), blob: pair.blob, delay: 42 },
      signature: 'not a signature',
      reply,
    }))

    expect([unknown, garbage as typeof unknown].map(code)).toEqual([
      'tower/not-accepted',
      'tower/not-accepted',
    ])
    expect(await world.info()).toMatchObject({ watched: 0, locators: 0 })
  })

  test('tower B9 B40 B157: slots follow the size, an update pays the difference, and without enough nothing changes', async () => {
    const world = await aTower({ config: { subscriptionSlots: 3 } })
    const { who, pair } = await aUser(world)
    const sized = (bytes: number) => ({ ...pair, blob: new Uint8Array(bytes) })

    const answers = [
      await world.add(who, sized(2_048)),
      await world.add(who, sized(2_049)),
      await world.add(who, sized(6_144)),
      await world.add(who, sized(6_145)),
      await world.add(who, aPair(2)),
      await world.add(who, sized(100)),
      await world.add(who, aPair(2)),
    ]

    expect(answers.map(answer => (answer.ok ? answer.value.slots : answer.code))).toEqual([
      2,
      1,
      0,
      'tower/not-accepted',
      'tower/not-accepted',
      2,
      1,
    ])
    expect([0, 1, 2_048, 2_049, 4_096, 4_097].map(slotsOf)).toEqual([1, 1, 1, 2, 2, 3])
  })

  test('tower B10 B41 B158 B164 B168: at the last block before the end all is answered, at the end nothing but when it ended', async () => {
    const world = await aTower({ config: { subscriptionDuration: 3 } })
    const { who, pair } = await aUser(world)
    await world.pass(2)
    const before = await world.add(who, pair)
    await world.pass(1)

    const answers = [
      await world.add(who, aPair(2)),
      await world.get(who, pair.dispute),
      await world.subscription(who),
    ]

    expect(code(before)).toBe('ok')
    for (const answer of answers)
      expect(answer).toMatchObject({
        code: 'tower/expired',
        message: 'Your subscription expired at 103',
      })
  })

  test('tower B273: a blob of 75 bytes is refused, one of 76 is taken', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)

    const short = await world.add(who, { ...pair, blob: new Uint8Array(75) })
    const least = await world.add(who, { ...pair, blob: new Uint8Array(76) })

    expect(short).toMatchObject({
      code: 'tower/blob-too-small',
      message: 'Wrong `encrypted_blob` field size. Minimum 76, received 75',
    })
    expect(code(least)).toBe('ok')
  })

  test('tower B13 B59 B161 B162 B163 B131: the owner reads his appointment back, nobody else does, and another locator is not found', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const other = (await aUser(world, 0x12)).who
    await world.add(who, pair)

    const own = await world.get(who, pair.dispute)

    expect(own).toMatchObject({ value: { state: 'watched', appointment: { blob: pair.blob } } })
    expect(code(await world.get(other, pair.dispute))).toBe('tower/not-found')
    expect(code(await world.get(who, aPair(9).dispute))).toBe('tower/not-found')
    expect(code(await world.get(aKey(0x31), pair.dispute))).toBe('tower/not-authenticated')
  })

  test('tower B51 B166 B167: a subscription lists its locators in byte order, and an unknown one is told so', async () => {
    const world = await aTower()
    const { who } = await aUser(world)
    const pairs = [5, 6, 7].map(aPair)
    for (const pair of pairs) await world.add(who, pair)

    const answer = await world.subscription(who)

    const locators = pairs.map(({ dispute }) => locatorOf(dispute.txid)).sort(Buffer.compare)
    expect(answer).toMatchObject({ value: { slots: 9_997, expiry: 4_420, locators } })
    expect(code(await world.subscription(aKey(0x31)))).toBe('tower/unknown-user')
  })

  test('tower B279: an owner takes back, once, for this tower and soon; the slots return after 144 blocks', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, pair)

    const refused = [
      await world.takeBack(who, pair.dispute, 99),
      await world.takeBack(who, pair.dispute, 245),
      await world.takeBack(who, pair.dispute, 150, aKey(0x33).id),
      await world.takeBack(who, aPair(9).dispute, 150),
    ]
    const done = await world.takeBack(who, pair.dispute, 244)
    const again = await world.takeBack(who, pair.dispute, 244)

    expect(refused.map(code)).toEqual([
      'tower/bad-until',
      'tower/bad-until',
      'tower/not-authenticated',
      'tower/not-found',
    ])
    expect(done).toMatchObject({ value: { slots: 9_999, slotsReturnAt: 244 } })
    expect(code(again)).toBe('tower/not-found')
    expect(await world.info()).toMatchObject({ watched: 0, locators: 0 })
    await world.pass(143)
    expect(await world.subscription(who)).toMatchObject({ value: { slots: 9_999 } })
    await world.pass(1)
    expect(await world.subscription(who)).toMatchObject({ value: { slots: 10_000 } })
  })

  test('tower B326: an own end is before that of the subscription; the row is watched to end and delta, then gone with its slots back', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)

    const refused = [
      await world.add(who, pair, { endBlock: 100 }),
      await world.add(who, pair, { endBlock: 4_421 }),
    ]
    const taken = await world.add(who, pair, { endBlock: 101 })
    await world.pass(7)
    const watched = await world.where(who, pair.dispute)
    await world.pass(1)

    expect(refused.map(code)).toEqual(['tower/bad-end', 'tower/bad-end'])
    expect(code(taken)).toBe('ok')
    expect(watched).toBe('watched')
    expect(await world.where(who, pair.dispute)).toBe('gone')
    expect(await world.subscription(who)).toMatchObject({ value: { slots: 10_000 } })
  })
})

describe('limits', () => {
  test('tower B256 B257 B258: open takes any key, an allowlist its own, and closed only those who are there', async () => {
    const listed = aKey(0x11)
    const open = await aTower()
    const list = await aTower({
      config: { registration: 'allowlist', allowed: [plainHex(listed.id)] },
    })
    const store = open.store
    expect(code(await open.register(listed))).toBe('ok')
    const closed = await aTower({ store, chain: open.chain, config: { registration: 'closed' } })

    expect(code(await list.register(listed))).toBe('ok')
    expect(code(await list.register(aKey(0x12)))).toBe('tower/registration-closed')
    expect(code(await closed.register(listed))).toBe('ok')
    expect(code(await closed.register(aKey(0x12)))).toBe('tower/registration-closed')
  })

  test('tower B259 B260: the last user fits, and from four fifths of the rows on only those who are there renew', async () => {
    const users = await aTower({ config: { maxUsers: 2 } })
    const rows = await aTower({ config: { maxAppointments: 5 } })
    const { who } = await aUser(rows)
    for (let salt = 1; salt <= 3; salt += 1) await rows.add(who, aPair(salt))

    const registered = []
    for (const secret of [1, 2, 3]) registered.push(await users.register(aKey(secret)))
    const before = await rows.register(aKey(0x12))
    await rows.add(who, aPair(4))

    expect(registered.map(code)).toEqual(['ok', 'ok', 'tower/registration-full'])
    expect(code(before)).toBe('ok')
    expect(code(await rows.register(aKey(0x13)))).toBe('tower/registration-full')
    expect(code(await rows.register(who))).toBe('ok')
    await rows.add(who, aPair(5))
    expect(code(await rows.register(who))).toBe('tower/registration-full')
  })

  test('tower B267 B268 B270: a full tower takes no new row and every update; a full user likewise', async () => {
    const world = await aTower({ config: { maxAppointments: 2, maxAppointmentsPerUser: 1 } })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    const second = await world.add(who, aPair(2))
    const bounded = await aTower({ config: { maxAppointments: 1 } })
    const other = await aUser(bounded)
    await bounded.add(other.who, other.pair)

    expect(code(second)).toBe('tower/not-accepted')
    expect(code(await world.add(who, pair))).toBe('ok')
    expect(code(await bounded.add(other.who, aPair(2)))).toBe('tower/not-accepted')
    expect(code(await bounded.add(other.who, other.pair))).toBe('ok')
  })

  test('tower B261 B262 B263: ten new users of an address a day, the next waits; another address and this machine have their own counts', async () => {
    const world = await aTower()
    const from = async (address: string, count: number, first: number) => {
      const codes = []
      for (let each = 0; each < count; each += 1)
        codes.push(code(await world.register(aKey(first + each), address)))
      return codes
    }

    const eleven = await from('192.0.2.1', 11, 1)

    expect(eleven.slice(0, 10)).toEqual(Array(10).fill('ok'))
    expect(eleven[10]).toBe('tower/address-limit')
    expect(await from('2001:db8:0:1::/64', 1, 30)).toEqual(['ok'])
    expect(await from('loopback', 12, 50)).toEqual(Array(12).fill('ok'))
    expect(code(await world.register(aKey(1), '192.0.2.1'))).toBe('ok')
    await world.test.pass(86_400_000)
    expect(await from('192.0.2.1', 1, 20)).toEqual(['ok'])
  })

  test('tower B265 B266 B39 B153: the ninth renewal within 144 blocks, a slot too many and an end too far are refused, and no receipt is given', async () => {
    const often = await aTower()
    const far = await aTower({ config: { maxSubscriptionBlocks: 8_640 } })
    const many = await aTower({ config: { subscriptionSlots: 0x8000_0000 } })
    const who = aKey(0x11)
    const codes = []
    for (let times = 0; times < 10; times += 1) codes.push(code(await often.register(who)))

    expect(codes).toEqual([...Array(9).fill('ok'), 'tower/renewals'])
    await often.pass(144)
    expect(code(await often.register(who))).toBe('ok')
    await far.register(who)
    expect([code(await far.register(who)), code(await far.register(who))]).toEqual([
      'ok',
      'tower/expiry-max',
    ])
    await many.register(who)
    expect(code(await many.register(who))).toBe('tower/slots-max')
    expect(await many.subscription(who)).toMatchObject({ value: { slots: 0x8000_0000 } })
  })

  test('tower B269: a user who adds faster than he may is told to come back, and may again after a while', async () => {
    const world = await aTower({ config: { addsPerUser: { perSecond: 1, burst: 2 } } })
    const { who } = await aUser(world)

    const codes = [
      await world.add(who, aPair(1)),
      await world.add(who, aPair(2)),
      await world.add(who, aPair(3)),
    ].map(code)
    await world.test.pass(1_000)

    expect(codes).toEqual(['ok', 'ok', 'tower/rate'])
    expect(code(await world.add(who, aPair(3)))).toBe('ok')
  })
})

describe('the end of a subscription', () => {
  test('tower B20 B42 B43 B45 B52 B54: rows and user go at the end and six blocks, not before, and others stay', async () => {
    const world = await aTower({ config: { subscriptionDuration: 3 } })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    await world.pass(2)
    const { who: other, pair: kept } = await aUser(world, 0x12)
    await world.add(other, kept)

    await world.pass(6)
    const before = await world.info()
    await world.pass(1)

    expect(before).toMatchObject({ users: 2, watched: 2 })
    expect(await world.info()).toMatchObject({ users: 1, watched: 1, locators: 1 })
    expect(await world.where(who, pair.dispute)).toBe('gone')
    expect(await world.where(other, kept.dispute)).toBe('watched')
    expect(code(await world.add(who, pair))).toBe('tower/not-accepted')
  })

  test('tower B289 B35 B20: outdated users go before the block is compared, and a tracker outlives its subscription', async () => {
    const world = await aTower({ config: { subscriptionDuration: 3 } })
    const { who, pair } = await aUser(world)
    const late = aPair(0x77)
    await world.add(who, pair)
    await world.add(who, late)
    await world.mine(pair.dispute)
    await world.pass(7)

    await world.mine(late.dispute)
    await world.pass(3)

    expect(await world.where(who, pair.dispute)).toBe('mempool')
    expect(await world.where(who, late.dispute)).toBe('gone')
    expect(await world.info()).toMatchObject({ users: 1, tracked: 1, watched: 0 })
    await world.mine(pair.penalty)
    await world.pass(100)
    expect(await world.info()).toMatchObject({ tracked: 0 })
    await world.pass(1)
    expect(await world.info()).toMatchObject({ users: 0, tracked: 0, locators: 0 })
  })
})

describe('breaches', () => {
  test('tower B4 B14 B15 B44 B126 B159 B218: of all transactions of a block just those waited for are answered, once, until they are final', async () => {
    const world = await aTower()
    const { who } = await aUser(world)
    const [first, second, third] = [1, 2, 3].map(aPair)
    if (!first || !second || !third) throw new Error('three')
    for (const pair of [first, second, third]) await world.add(who, pair)

    await world.mine(aPair(9).dispute, first.dispute, second.dispute)

    expect(world.chain.sent.sort()).toEqual(
      [first, second].map(({ penalty }) => plainHex(penalty.txid)).sort(),
    )
    expect(world.facts).toMatchObject([{ type: 'breach.seen', height: 101, closed: [] }])
    expect(await world.where(who, first.dispute)).toBe('mempool')
    expect(await world.where(who, third.dispute)).toBe('watched')
    expect(await world.get(who, first.dispute)).toMatchObject({
      value: {
        state: 'responded',
        disputeTxid: shownId(first.dispute),
        penaltyTxid: shownId(first.penalty),
        penalty: first.penalty.raw,
      },
    })
    expect(code(await world.add(who, first))).toBe('tower/triggered')
    await world.mine(first.penalty)
    expect(await world.where(who, first.dispute)).toBe('confirmed')
    await world.pass(99)
    expect(await world.where(who, first.dispute)).toBe('confirmed')
    await world.pass(1)
    expect(await world.where(who, first.dispute)).toBe('gone')
    expect(await world.subscription(who)).toMatchObject({ value: { slots: 9_998 } })
    expect(world.facts.map(({ type }) => type)).toEqual([
      'breach.seen',
      'breach.answered',
      'breach.resolved',
    ])
  })

  test('tower B16 B18 B227 B239 B250 B290 B322: what cannot be opened, is no transaction or spends something else is closed with its reason, and never stops the others', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const other = (await aUser(world, 0x12)).who
    const third = (await aUser(world, 0x13)).who
    const fourth = (await aUser(world, 0x14)).who
    const foreign = aPair(0x55).penalty.raw
    await world.add(who, { ...pair, blob: new Uint8Array(100) })
    await world.add(other, { ...pair, blob: pair.seal(new Uint8Array(80)) })
    await world.add(third, { ...pair, blob: pair.seal(foreign) })
    await world.add(fourth, pair)

    await world.mine(pair.dispute)

    expect([
      await world.where(who, pair.dispute),
      await world.where(other, pair.dispute),
      await world.where(third, pair.dispute),
      await world.where(fourth, pair.dispute),
    ]).toEqual([
      'closed: cannot-decrypt',
      'closed: not-a-transaction',
      'closed: does-not-spend',
      'mempool',
    ])
    expect(world.chain.sent).toEqual([plainHex(pair.penalty.txid)])
    expect(code(await world.get(who, pair.dispute))).toBe('tower/not-found')
    expect(await world.subscription(who)).toMatchObject({ value: { slots: 9_999, locators: [] } })
  })

  test('tower B19: a block without appointments moves nothing but the height', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, pair)

    await world.mine(aPair(8).dispute)

    expect(await world.info()).toMatchObject({ height: 101, watched: 1 })
    expect(world.facts).toEqual([])
  })

  test('tower B5 B6 B230 B231 B232 B282: what was seen within six blocks is answered when it is handed over, asleep or not; the seventh is too late', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const other = (await aUser(world, 0x12)).who
    expect((await world.info()).asleep).toBe(true)
    await world.mine(pair.dispute)
    await world.pass(5)

    const good = await world.add(who, pair)
    const bad = await world.add(other, { ...pair, blob: new Uint8Array(90) })

    expect([code(good), code(bad)]).toEqual(['ok', 'ok'])
    expect(await world.where(who, pair.dispute)).toBe('mempool')
    expect(await world.where(other, pair.dispute)).toBe('closed: cannot-decrypt')
    expect(good).toMatchObject({ value: { slots: 9_999 } })
    await world.pass(1)
    const late = (await aUser(world, 0x13)).who
    await world.add(late, pair)
    expect(await world.where(late, pair.dispute)).toBe('watched')
  })

  test('a closed row is opened again when its owner hands over a better blob, as long as it is known what it waited for', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, { ...pair, blob: new Uint8Array(90) })
    await world.mine(pair.dispute)
    await world.pass(20)

    const better = await world.add(who, pair)

    expect(code(better)).toBe('ok')
    expect(await world.where(who, pair.dispute)).toBe('mempool')
    expect(world.chain.sent).toEqual([plainHex(pair.penalty.txid)])
  })

  test('tower B251 B228: one penalty for many rows is sent once', async () => {
    const world = await aTower()
    const { pair } = await aUser(world)
    for (const secret of [0x11, 0x12, 0x13, 0x14]) {
      const { who } = await aUser(world, secret)
      await world.add(who, pair)
    }

    await world.mine(pair.dispute)

    expect(world.chain.sent).toEqual([plainHex(pair.penalty.txid)])
    expect(await world.info()).toMatchObject({ tracked: 4 })
  })
})

describe('several at once', () => {
  test('tower B225 B46: fifty channels in one block are answered, and a block that leaves moves no slot', async () => {
    const world = await aTower()
    const { who } = await aUser(world)
    const pairs = Array.from({ length: 50 }, (_, salt) => aPair(salt + 1))
    for (const pair of pairs) await world.add(who, pair)

    await world.mine(...pairs.map(({ dispute }) => dispute))

    expect(world.chain.sent.sort()).toEqual(
      pairs.map(({ penalty }) => plainHex(penalty.txid)).sort(),
    )
    const before = await world.subscription(who)
    world.chain.undo(1)
    await world.mine()
    await world.pass(1)
    expect(await world.subscription(who)).toEqual(before)
  })

  test('tower B229: two users have different penalties for one dispute: both are sent, and the one that the network refuses waits', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const other = (await aUser(world, 0x12)).who
    const second = aTransaction(pair.dispute.txid, 0x99)
    await world.add(who, pair)
    await world.add(other, { ...pair, blob: pair.seal(second.raw) })
    const loser = plainHex(second.txid)
    world.chain.answer = txid =>
      txid === loser ? { class: 'deferred', reason: 'conflict' } : { class: 'satisfied' }

    await world.mine(pair.dispute)

    expect(await world.where(who, pair.dispute)).toBe('mempool')
    expect(await world.where(other, pair.dispute)).toBe('deferred')
    expect(world.chain.sent.filter(txid => txid === loser)).toHaveLength(1)
  })

  test('tower B53: all users of one end go in one block, with all they held', async () => {
    const world = await aTower({ config: { subscriptionDuration: 2 } })
    for (const secret of [1, 2, 3]) {
      const { who } = await aUser(world, secret)
      for (const salt of [1, 2]) await world.add(who, aPair(secret * 10 + salt))
    }

    await world.pass(8)

    expect(await world.info()).toMatchObject({ users: 0, watched: 0, locators: 0, slotsFree: 0 })
    expect(await world.store.scan({})).toHaveLength(2)
  })

  test('tower B62 B77 B78 B79: after a restart what is watched and what is tracked are told apart, and found by locator and by either transaction', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    const kept = aPair(2)
    await world.add(who, pair)
    await world.add(who, kept)
    await world.mine(pair.dispute)

    const again = await world.again()

    expect(await again.info()).toMatchObject({ watched: 1, tracked: 1 })
    expect([...(await again.responderStats()).states]).toEqual([['mempool', 1]])
    const uuid = again.uuid(who, pair.dispute)
    for (const subject of [
      uuid,
      locatorOf(pair.dispute.txid),
      pair.dispute.txid,
      pair.penalty.txid,
    ])
      expect(await again.why(subject)).toMatchObject({
        value: [{ appointment: { uuid, phase: 'tracked' }, tracker: { state: 'mempool' } }],
      })
    expect(await again.why(locatorOf(kept.dispute.txid))).toMatchObject({
      value: [{ appointment: { phase: 'watched' } }],
    })
    expect(code(await again.why(new Uint8Array(20)))).toBe('tower/not-found')
  })
})

describe('sleep', () => {
  test('tower B56 B280: of five rows two are breached and resolved, the others expire, and it sleeps again', async () => {
    const world = await aTower({ config: { subscriptionDuration: 3 } })
    const { who } = await aUser(world)
    const pairs = [1, 2, 3, 4, 5].map(aPair)
    for (const pair of pairs) await world.add(who, pair)
    const [first, second] = pairs
    if (!first || !second) throw new Error('two')
    expect((await world.info()).asleep).toBe(false)

    await world.mine(first.dispute, second.dispute)
    await world.pass(8)
    expect(await world.info()).toMatchObject({ asleep: false, tracked: 2, watched: 0 })
    await world.mine(first.penalty, second.penalty)
    await world.pass(101)

    expect(await world.info()).toMatchObject({ asleep: true, state: 'asleep', users: 0 })
  })

  test('tower B281: a restart with rows is awake, and closed records alone let it sleep', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    await world.add(who, pair)

    const awake = await world.again()
    expect(await awake.info()).toMatchObject({ asleep: false, watched: 1, locators: 1 })
    const closing = aPair(3)
    await awake.add(who, { ...closing, blob: new Uint8Array(90) })
    await awake.takeBack(who, pair.dispute, 120)
    await awake.mine(closing.dispute)

    expect(await awake.info()).toMatchObject({ asleep: true, closed: 1, watched: 0 })
    expect(await (await awake.again()).info()).toMatchObject({ asleep: true, closed: 1 })
  })
})

describe('restart', () => {
  test('tower B1 B37 B48 B57 B323: another tower on the same disk has the same users, rows and slots', async () => {
    const world = await aTower()
    expect(await world.info()).toMatchObject({ users: 0, watched: 0, locators: 0 })
    const { who, pair } = await aUser(world)
    await world.add(who, pair)
    await world.add(who, aPair(2))

    const again = await world.again()

    expect(await again.info()).toMatchObject({ users: 1, watched: 2, slotsFree: 9_998 })
    expect(await again.get(who, pair.dispute)).toEqual(await world.get(who, pair.dispute))
    expect(code(await again.add(who, pair))).toBe('ok')
    expect(await again.subscription(who)).toEqual(await world.subscription(who))
  })

  test('tower B233 B234 B238 B247: blocks of the time it was down are compared, every one', async () => {
    const world = await aTower()
    const { who } = await aUser(world)
    const [first, second] = [1, 2].map(aPair)
    if (!first || !second) throw new Error('two')
    await world.add(who, first)
    await world.add(who, second)
    world.chain.mine(first.dispute)
    for (let count = 0; count < 30; count += 1) world.chain.mine()
    world.chain.mine(second.dispute)

    const again = await world.again()

    expect(await again.where(who, first.dispute)).toBe('mempool')
    expect(await again.where(who, second.dispute)).toBe('mempool')
    expect(await again.info()).toMatchObject({ height: 132, blocksBehind: 0 })
  })

  test('tower B100 B130 B134 B137 B154 B160 B165 B169: while blocks cannot be had all is answered, and what was taken is compared later', async () => {
    const world = await aTower()
    const { who, pair } = await aUser(world)
    world.chain.isDown = true
    await world.mine(pair.dispute)

    const answers = [
      code(await world.register(aKey(0x12))),
      code(await world.add(who, pair)),
      code(await world.get(who, pair.dispute)),
      code(await world.subscription(who)),
    ]
    expect(answers).toEqual(['ok', 'ok', 'ok', 'ok'])
    expect(await world.info()).toMatchObject({ state: 'catching-up', height: 100 })
    world.chain.isDown = false
    await world.test.pass(2_000)

    expect(await world.where(who, pair.dispute)).toBe('mempool')
  })
})
